from __future__ import annotations

import pytest

from insula.structure import did_you_mean, nearest, quoted
from insula.structure.wording import found


@pytest.mark.parametrize(
    "word, words, near",
    [
        ("confg", ["config", "path"], "config"),
        ("CONFIG", ["config", "path"], "config"),
        ("xyz", ["config", "path"], None),
        ("", ["config"], None),
        (3, ["config"], None),
        ("x" * 100_000, ["config"], None),
        ("config", [], None),
    ],
)
def test_nearest(word: object, words: list[str], near: str | None) -> None:
    assert nearest(word, words) == near


HUGE = pytest.param(10**5000, id="huge")


def test_did_you_mean() -> None:
    assert did_you_mean("confg", ["path", "config"]) == "did you mean config?"
    assert did_you_mean("xyz", ["path", "config"]) == "known: config, path"
    assert did_you_mean("xyz", []) == "there are none"


@pytest.mark.parametrize(
    "value",
    [
        "a" * 1000,
        "\ud800",
        "\n\x1b[31m",
        [1] * 1000,
        {"a": object()},
        HUGE,
        {(): 1},
    ],
)
def test_whatever_is_quoted_is_short_and_printable(value: object) -> None:
    assert quoted(value).isprintable()
    assert len(quoted(value)) <= 60
    assert len(found(value)) < 90
