from __future__ import annotations

import time
from pathlib import Path

import pytest

from insula.plugins.listing import Listed, list_plugins

PREDICTORS = "insula.predictors"
GOOD = '''
"""Predicts nothing, well."""
import insula
from insula.descriptors import PredictorType

print("a plugin that chatters")

class Plugin:
    """Answers with the length.

    More text.
    """

    @insula.hookimpl
    def insula_predictor_type(self):
        return PredictorType("good", class_name=None)

plugin = Plugin()
'''


def listed(site, timeout: float = 30.0) -> dict[str, Listed]:
    return {one.name: one for one in list_plugins(timeout, site.path)}


def test_nothing_installed(tmp_path: Path) -> None:
    assert list_plugins(path=[str(tmp_path)]) == []


def test_a_good_one_is_described_by_its_docstring(site) -> None:
    site.install("good-models", "1.2", entry_points={PREDICTORS: {"good": "good_models:plugin"}}, good_models=GOOD)
    good = listed(site)["good"]
    assert (good.status, good.cause, good.description) == ("ok", "", "Answers with the length.")
    assert (good.group, good.reference.distribution, good.reference.version) == (
        PREDICTORS,
        "good-models",
        "1.2",
    )


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import not_there_at_all", "No module named 'not_there_at_all'"),
        ("plugin = object()", "answers no hook"),
        ("import os; os.abort()", "was ended by SIGABRT"),
        ("import os; os._exit(0)", "ended with exit code 0"),
        (
            "import sys, os; sys.stderr.write('first\\nno memory\\n'); sys.stderr.flush(); os._exit(7)",
            "code 7: no memory",
        ),
        (GOOD, 'says "good"'),
        (
            GOOD.replace("insula_predictor_type", "insula_predictor_typ"),
            "did you mean insula_predictor_type?",
        ),
        (GOOD.replace("plugin = Plugin()", "plugin = Plugin"), "offer an instance of it"),
    ],
)
def test_a_broken_one_is_listed_with_its_cause_and_harms_no_other(site, text: str, cause: str) -> None:
    site.install("good-models", entry_points={PREDICTORS: {"good": "good_models:plugin"}}, good_models=GOOD)
    site.install("bad", "0.3", entry_points={PREDICTORS: {"bad": "bad_models:plugin"}}, bad_models=text)
    found = listed(site)
    assert found["good"].status == "ok"
    assert found["bad"].status == "broken"
    assert cause in found["bad"].cause
    assert "bad 0.3" in found["bad"].cause


def test_a_hanging_one_is_ended_with_all_that_it_started(site, tmp_path: Path) -> None:
    # The grandchild inherits the child's output; it must neither live on nor hold up the list.
    hanging = f"""
        import pathlib, subprocess, time
        grandchild = subprocess.Popen(["sleep", "600"])
        pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(grandchild.pid))
        time.sleep(600)
    """
    site.install("slow", entry_points={PREDICTORS: {"slow": "slow_models:plugin"}}, slow_models=hanging)
    start = time.monotonic()
    slow = listed(site, timeout=3)["slow"]
    assert time.monotonic() - start < 60
    assert slow.status == "broken"
    assert slow.cause.endswith("its import did not end within 3 s")
    assert _ends(int((tmp_path / "pid").read_text()))


def _ends(pid: int, seconds: float = 10.0) -> bool:
    import psutil

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_what_need_not_be_imported_to_be_refused(site) -> None:
    trap = "raise SystemExit('imported')"
    site.install("one", entry_points={PREDICTORS: {"word": "trap:plugin"}}, trap=trap)
    site.install("two", entry_points={PREDICTORS: {"word": "trap:plugin"}})
    site.install("new", entry_points={PREDICTORS: {"new": "trap:plugin"}}, requires=["insula>=5"])
    site.install("old", entry_points={PREDICTORS: {"old": "trap:plugin"}}, requires=["insula<0.0.5"])
    site.install("stray", entry_points={"insula.predictor": {"stray": "trap:plugin"}})
    found = list_plugins(path=site.path)
    assert [(one.name, one.reference.distribution, one.status) for one in found] == [
        ("stray", "stray", "broken"),
        ("new", "new", "too new"),
        ("old", "old", "too old"),
        ("word", "one", "duplicate"),
        ("word", "two", "duplicate"),
    ]
    assert "no group of entry points insula.predictor, only insula.predictors," in found[0].cause
    assert "this is insula " in found[1].cause
    assert "one 1.0" in found[3].cause
    assert "two 1.0" in found[3].cause
    assert not any("imported" in one.cause for one in found)


def test_observers_and_commands_are_loaded(site) -> None:
    entry_points = {
        "insula.commands": {"serve": "extras:serve", "gone": "extras:gone"},
        "insula.observers": {"watch": "extras:watch"},
    }
    text = """
        def serve():
            "Serve jobs over HTTP."

        watch = object()
    """
    site.install("extras", entry_points=entry_points, extras=text)
    found = listed(site)
    assert (found["serve"].status, found["serve"].description) == ("ok", "Serve jobs over HTTP.")
    assert "has no attribute 'gone'" in found["gone"].cause
    assert "answers no hook" in found["watch"].cause


def test_what_the_core_ships_is_found_as_anyones(site) -> None:
    entry_points = {"insula.hardware": {"cpu": "insula.hardware.cpu:plugin", "gpu": "insula.hardware.gpu:plugin"}}
    site.install("insula", "0.1.0", entry_points=entry_points, requires=())
    assert {name: one.status for name, one in listed(site).items()} == {"cpu": "ok", "gpu": "ok"}
