from __future__ import annotations

import sys
from typing import Any

import pytest

from insula.cli.bar import Bar
from insula.cli.display import Display, Lines, choose
from insula.coordinator.status import Progress

STANDS = Progress("running", 50, 100, 12, 0, 24, 0, 2, 12.0, 7.0, 0.3)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Lines(clock) as lines:
        for tick in range(1, 256):
            clock.now = tick / 10
            lines.progress(STANDS)
    out, error = capsys.readouterr()
    assert out == ""
    line = "running: 12 of 50 batches, 24 of 100 samples, 12 samples/s, 0:00:07 left, 2 workers"
    assert error.splitlines() == [f"0:00:10 {line}", f"0:00:20 {line}"]


def test_a_slow_batch_shows_in_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    clock.now = 11.0
    lines.progress(Progress("running", 50, 100, 12, 0, 24, 0, 2, 0.0, None, 8.4))
    assert "slowest batch 0:00:08" in capsys.readouterr().err


def test_lines_tell_what_happens(capsys: pytest.CaptureFixture[str]) -> None:
    failed: dict[str, Any] = {"event": "dead_letter", "index": 7, "error": "E: no"}
    with Lines(Clock()) as lines:
        lines.event({"event": "enqueued", "batches": 2, "samples": 3})
        for _ in range(7):
            lines.event(failed)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "enqueued: 2 batches, 3 samples"
    assert told[-1] == "... and 2 more failures like these"


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.progress(STANDS)
        display.event({"event": "enqueued", "batches": 2, "samples": 3})
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("terminal", "term", "quiet", "json", "kind"),
    [
        (True, "xterm", False, False, Bar),
        (True, "xterm", False, True, Lines),
        (True, "xterm", True, False, Display),
        (True, "dumb", False, False, Lines),
        (True, None, False, False, Lines),
        (False, "xterm", False, False, Lines),
        (False, "xterm", True, True, Display),
    ],
)
def test_what_is_chosen(
    terminal: bool, term: str | None, quiet: bool, json: bool, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    environment = {} if term is None else {"TERM": term}
    assert type(choose(quiet=quiet, json=json, environment=environment)) is kind
