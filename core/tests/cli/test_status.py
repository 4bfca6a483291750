from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.jobs.lock import JobLock
from insula.worker.cell import Cell

MakeJob = Callable[..., Any]
STANDS: dict[str, Any] = {
    "status": "running",
    "batches": 50,
    "samples": 100,
    "settled": 12,
    "failed": 1,
    "accounted": 24,
    "dead": 2,
    "workers": 2,
    "rate": 12.0,
    "remaining": 7.0,
    "longest": 0.3,
    "attempts": 3,
    "interruptions": 1,
    "started": 1_700_000_001.0,
    "seconds": 3.0,
    "worker_counts": {"pending": 1, "initializing": 1, "running": 2, "succeeded": 0, "failed": 3, "stalled": 0},
}


def shown(output: str) -> dict[str, str]:
    return {name.strip(): value.strip() for name, value in (line.split("  ", 1) for line in output.splitlines())}


def test_a_running_job(make_job: MakeJob, runner: CliRunner) -> None:
    folder, record = make_job(**{**STANDS, "longest": 61.0})
    lock = JobLock(folder.lock)
    try:
        facts = shown(runner.invoke(insula, ["status", record.job_id[:-1]]).stdout)
        plain = json.loads(runner.invoke(insula, ["status", record.job_id, "--json"]).stdout)
    finally:
        lock.release()
    assert facts["job"] == record.job_id
    assert facts["status"] == "running"
    assert facts["batches"] == "12 of 50, 1 with dead letters"
    assert facts["samples"] == "24 of 100"
    assert facts["dead letters"] == "2"
    assert facts["rate"] == "12 samples/s, 0:00:07 left"
    assert facts["slowest batch"] == "0:01:01 so far"
    assert "to finish" not in facts
    assert {**plain, "longest": 0.3} == {
        "job_id": record.job_id,
        "api_name": "doubles",
        "created_time": "2023-11-14T22:13:20.000+00:00",
        "project": record.project,
        "output": record.output,
        "executor": "process",
        **{key: value for key, value in STANDS.items() if key not in ("dead", "attempts", "worker_counts")},
        "dead_letters": 2,
        "attempts_failed": 3,
        "interruptions": 1,
        "stalled_batches": [],
        "job_status": {
            "job_id": record.job_id,
            "api_name": "doubles",
            "workers": 2,
            "status": "running",
            "batches_in_queue": 38,
            "batch_metrics": {"succeeded": 11, "failed": 1, "avg_time_per_batch": 0.5},
            "worker_counts": STANDS["worker_counts"],
            "created_time": "2023-11-14T22:13:20.000+00:00",
            "start_time": "2023-11-14T22:13:21.000+00:00",
            "end_time": None,
        },
    }


def test_a_batch_that_hangs(make_job: MakeJob, runner: CliRunner) -> None:
    folder, record = make_job(**STANDS)
    Cell(folder.cells / "1-0-1.cell").predicting(7, 0, time.monotonic() - 3661)
    Cell(folder.cells / "1-1-2.cell").predicting(8, 0, time.monotonic() - 30)
    lock = JobLock(folder.lock)
    try:
        facts = shown(runner.invoke(insula, ["status", record.job_id]).stdout)
        plain = json.loads(runner.invoke(insula, ["status", record.job_id, "--json"]).stdout)
    finally:
        lock.release()
    assert facts["stalled"].startswith("batch 7, in predict for 1:01:0")
    assert [one["batch"] for one in plain["stalled_batches"]] == [7]


def test_a_job_that_may_go_on(make_job: MakeJob, runner: CliRunner) -> None:
    _, record = make_job(**{**STANDS, "status": "worker_error", "message": "no worker stays alive"})
    output = runner.invoke(insula, ["status", record.job_id]).stdout
    assert f"insula resume {record.job_id}" in output
    assert "no worker stays alive" in output
    assert "workers" not in output


def test_a_finished_job(make_job: MakeJob, runner: CliRunner) -> None:
    _, record = make_job(**{**STANDS, "status": "completed_with_failures"})
    output = runner.invoke(insula, ["status", record.job_id]).stdout
    assert "completed with failures" in output
    assert "resume" not in output


def test_a_job_whose_coordinator_died(make_job: MakeJob, runner: CliRunner) -> None:
    _, record = make_job(**STANDS)
    plain = json.loads(runner.invoke(insula, ["status", record.job_id, "--json"]).stdout)
    assert set(plain["job_status"]["worker_counts"].values()) == {0}
    done = runner.invoke(insula, ["status", record.job_id])
    assert "interrupted" in done.stdout
    assert f"insula resume {record.job_id}" in done.stdout


@pytest.mark.parametrize("command", ["status", "stop"])
def test_an_unknown_job(command: str, runner: CliRunner) -> None:
    done = runner.invoke(insula, [command, "0123"])
    assert done.exit_code == 2
    assert "there is no job '0123'" in done.stderr
