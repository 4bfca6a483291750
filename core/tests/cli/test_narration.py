from __future__ import annotations

from typing import Any

import pytest

from insula.cli.narration import Narration, describe

FAILED = {"event": "attempt_failed", "batch": 3, "index": 96, "samples": 32, "attempts": 1, "error": "E: no"}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        ({"event": "job_started", "job_id": "01a2", "epoch": 1}, "job 01a2 begins"),
        ({"event": "job_started", "job_id": "01a2", "epoch": 3}, "job 01a2 goes on (start 3)"),
        ({"event": "enqueued", "batches": 1, "samples": 1200}, "enqueued: 1 batch, 1,200 samples"),
        (FAILED, "batch 3 (32 samples from 96) failed: E: no"),
        (
            {**FAILED, "event": "dead_letters", "samples": 1, "attempts": 2},
            "batch 3: gave up on 1 sample from 96 after 2 attempts: E: no",
        ),
        ({"event": "dead_letter", "index": 7, "error": "E: no"}, "sample 7 is given up: E: no"),
        (
            {"event": "interrupted", "batch": 3, "interruptions": 2},
            "batch 3 was interrupted, 2 times so far",
        ),
        ({"event": "worker_broken", "worker": 0, "error": "E: no"}, "worker 0 is broken: E: no"),
        (
            {"event": "worker_ended", "worker": 1, "name": "1-1-1", "cause": "was killed by SIGKILL"},
            "worker 1 was killed by SIGKILL",
        ),
        ({"event": "worker_ended", "worker": 1, "name": "1-1-1", "cause": "ended with exit code 0"}, None),
        (
            {"event": "service_ended", "service": "s", "worker": None, "cause": "was killed by SIGKILL"},
            "service s was killed by SIGKILL",
        ),
        (
            {"event": "service_ended", "service": "s", "worker": 1, "cause": "ended with exit code 2"},
            "service s of worker 1 ended with exit code 2",
        ),
        ({"event": "worker_ready", "worker": 1, "name": "1-1-1"}, None),
        ({"event": "something of a later insula"}, None),
    ],
)
def test_what_an_event_says(event: dict[str, Any], line: str | None) -> None:
    assert describe(event) == line


def test_a_line_stays_one_short_line() -> None:
    line = describe({**FAILED, "error": "E: first\n\n  second " + "x" * 1000})
    assert line is not None
    assert "E: first second x" in line
    assert "\n" not in line
    assert len(line) <= 300


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_failures_are_told_a_few_at_a_time() -> None:
    said: list[str] = []
    clock = Clock()
    narration = Narration(said.append, clock)
    for _ in range(1000):
        narration.event(FAILED)
    assert len(said) == 5
    clock.now += 10
    narration.event(FAILED)
    assert said[5:] == ["... and 995 more failures like these", describe(FAILED)]


def test_what_was_not_told_is_told_at_the_end() -> None:
    said: list[str] = []
    narration = Narration(said.append, Clock())
    for _ in range(6):
        narration.event(FAILED)
    narration.catch_up()
    assert said[-1] == "... and 1 more failure like these"
    narration.catch_up()
    assert len(said) == 6


def test_the_beginning_is_told_however_much_failed() -> None:
    said: list[str] = []
    narration = Narration(said.append, Clock())
    for _ in range(6):
        narration.event(FAILED)
    narration.event({"event": "enqueued", "batches": 2, "samples": 3})
    assert said[-1] == "enqueued: 2 batches, 3 samples"
