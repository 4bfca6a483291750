from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.plugins import Reference
from insula.plugins.listing import Listed

FOUND = [
    Listed(Reference("insula.executors", "inline", "a.b:plugin", "insula", "0.1.0"), "ok", description="Runs."),
    Listed(
        Reference("insula.predictors", "acme", "acme:plugin", "insula-acme", "2.0"),
        "broken",
        "it cannot be imported:\nno module named acme",
    ),
    Listed(Reference("insula.wrong", "odd", "odd:plugin", "odd", "1"), "broken", "no such group"),
]


@pytest.fixture(autouse=True)
def timeouts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    asked: list[float] = []

    def list_plugins(timeout: float) -> list[Listed]:
        asked.append(timeout)
        return FOUND

    monkeypatch.setattr("insula.plugins.listing.list_plugins", list_plugins)
    return asked


def test_the_table(runner: CliRunner, timeouts: list[float]) -> None:
    done = runner.invoke(insula, ["plugins"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "ROLE            NAME    DISTRIBUTION  VERSION  STATUS",
        "executor        inline  insula        0.1.0    ok",
        "predictor type  acme    insula-acme   2.0      broken",
        "insula.wrong    odd     odd           1        broken",
        "",
        "predictor type acme: broken",
        "  it cannot be imported:",
        "  no module named acme",
        "",
        "insula.wrong odd: broken",
        "  no such group",
    ]
    assert timeouts == [10.0]


def test_as_json(runner: CliRunner, timeouts: list[float]) -> None:
    done = runner.invoke(insula, ["plugins", "--json", "--timeout", "2.5"])
    assert timeouts == [2.5]
    found = json.loads(done.stdout)
    assert [plugin["status"] for plugin in found] == ["ok", "broken", "broken"]
    assert found[0] == {
        "role": "executor",
        "group": "insula.executors",
        "name": "inline",
        "distribution": "insula",
        "version": "0.1.0",
        "object": "a.b:plugin",
        "status": "ok",
        "cause": "",
        "description": "Runs.",
    }
