from __future__ import annotations

import pytest

from insula.cli import wording
from insula.coordinator.status import Progress


def stands(**changes: object) -> Progress:
    facts: dict[str, object] = {
        "status": "running",
        "batches": 5000,
        "samples": 160_000,
        "settled": 1234,
        "failed": 0,
        "accounted": 39_488,
        "dead": 0,
        "workers": 2,
        "rate": 1250.4,
        "remaining": 192.0,
        "longest": 0.1,
    }
    return Progress(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (0.6, "0:00:01"), (187.2, "0:03:07"), (360_000, "100:00:00")]
)
def test_duration(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "batch", "1 batch"),
        (1200, "batch", "1,200 batches"),
        (0, "sample", "0 samples"),
        (1, "sample", "1 sample"),
    ],
)
def test_count(number: int, noun: str, text: str) -> None:
    assert wording.count(number, noun) == text


def test_how_many_of_how_many_as_far_as_it_is_known() -> None:
    assert wording.of(3, 10, "batch") == "3 of 10 batches"
    assert wording.of(3, None, "batch") == "3 batches"


@pytest.mark.parametrize(
    ("samples", "text"), [(12_345.6, "12,346 samples/s"), (9.96, "10 samples/s"), (0.043, "0.043 samples/s")]
)
def test_rate(samples: float, text: str) -> None:
    assert wording.rate(samples) == text


def test_a_job_finishes_when_every_batch_is_settled() -> None:
    assert wording.phase(stands()) == "running"
    assert wording.phase(stands(status="enqueuing", batches=None, samples=None)) == "enqueuing"
    assert wording.phase(stands(settled=5000)) == "finishing"


def words(progress: Progress, slow: float = 0.0) -> list[str]:
    return [word for _, word in wording.standing(progress, slow)]


def test_standing() -> None:
    assert words(stands(failed=3)) == [
        "1,234 of 5,000 batches",
        "39,488 of 160,000 samples",
        "1,250 samples/s",
        "0:03:12 left",
        "3 failed",
        "2 workers",
    ]


def test_standing_before_the_total_is_known() -> None:
    early = stands(status="enqueuing", batches=None, samples=None, remaining=None, rate=0.0, workers=1)
    assert words(early) == ["1,234 batches", "39,488 samples", "1 worker"]


def test_a_slow_batch_is_told() -> None:
    assert "slowest batch 0:01:30" in words(stands(), slow=90.0)
    assert not any("slowest" in word for word in words(stands(), slow=1.9))


def test_no_end_is_promised_that_a_slow_batch_has_outlived() -> None:
    assert "0:00:03 left" in words(stands(remaining=3.0), slow=1.0)
    assert not any("left" in word for word in words(stands(remaining=3.0), slow=60.0))


def test_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-2")
    time.tzset()
    try:
        assert wording.local_time("2026-01-31T23:30:00.123+00:00") == "2026-02-01 01:30:00"
    finally:
        monkeypatch.undo()
        time.tzset()
