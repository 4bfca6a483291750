from __future__ import annotations

from typing import Any

from insula.cli.closing import closing

SUMMARY: dict[str, Any] = {
    "job_id": "01a2",
    "status": "succeeded",
    "batches": 1200,
    "samples": 38_400,
    "predictions": 38_400,
    "dead_letters": 0,
    "stored_by_predictor": 0,
    "non_finite": 0,
    "seconds": 61.2,
    "output": "/data/out",
}


def test_success() -> None:
    assert closing(SUMMARY).splitlines() == [
        "Job 01a2 succeeded: 1,200 batches in 0:01:01",
        "38,400 samples = 38,400 predictions + 0 dead letters + 0 stored by the predictor",
        "Results: /data/out",
    ]


def test_dead_letters_and_what_is_worth_a_note() -> None:
    summary = {
        **SUMMARY,
        "status": "completed_with_failures",
        "predictions": 38_399,
        "dead_letters": 1,
        "non_finite": 2,
        "note": "predict returned different kinds of results",
    }
    assert closing(summary).splitlines() == [
        "Job 01a2 completed with failures: 1,200 batches in 0:01:01",
        "38,400 samples = 38,399 predictions + 1 dead letter + 0 stored by the predictor",
        "Results: /data/out",
        "Dead letters, each with its reason: /data/out/dead_letters.jsonl",
        "To try them again, once the cause is mended: insula retry 01a2",
        "Written as null: 2 values that are NaN or infinite",
        "Note: predict returned different kinds of results",
    ]


def test_a_forgotten_return_is_told() -> None:
    told = closing({**SUMMARY, "predictions": 0, "stored_by_predictor": 38_400})
    assert "No predictions were collected: predict returned None" in told
    assert "No predictions" not in closing({**SUMMARY, "predictions": 1, "stored_by_predictor": 38_399})


def test_failures_on_the_way_are_told() -> None:
    line = "On the way 4 calls of predict failed, and all was made good: insula logs 01a2"
    assert closing({**SUMMARY, "attempts_failed": 4}).splitlines()[-1] == line


def test_a_job_to_be_mended_says_how_to_go_on() -> None:
    summary = {**SUMMARY, "status": "worker_error", "predictions": 0, "message": "no worker"}
    told = "0 of 38,400 samples are done. To finish it, once the cause is mended: insula resume 01a2 --changed"
    assert closing(summary).splitlines()[-1] == told


def test_an_unfinished_job_says_how_to_go_on() -> None:
    summary = {
        **SUMMARY,
        "status": "timed_out",
        "predictions": 20,
        "dead_letters": 4,
        "message": "no\nworker",
    }
    assert closing(summary).splitlines() == [
        "job 01a2: timed out: no",
        "worker",
        "24 of 38,400 samples are done. To finish it: insula resume 01a2",
    ]
