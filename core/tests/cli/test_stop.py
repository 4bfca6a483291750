from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from insula.cli import stop
from insula.cli.group import insula
from insula.folder import JobFolder, replace
from insula.jobs.lock import JobLock

MakeJob = Callable[..., Any]


@contextmanager
def running(folder: JobFolder, status: str) -> Iterator[None]:
    """A coordinator that stops when it is asked to."""
    lock = JobLock(folder.lock)

    def coordinate() -> None:
        deadline = time.monotonic() + 60
        while not folder.stop.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        replace(folder.status, {"status": status})
        lock.release()

    thread = threading.Thread(target=coordinate)
    thread.start()
    yield
    thread.join()


def test_a_running_job_stops(make_job: MakeJob, runner: CliRunner) -> None:
    folder, record = make_job(status="running")
    with running(folder, "stopped"):
        done = runner.invoke(insula, ["stop", record.job_id])
    assert done.exit_code == 0
    assert done.stdout == f"Job {record.job_id} is stopped. To finish it: insula resume {record.job_id}\n"
    assert not folder.stop.exists()


def test_a_job_that_is_faster(make_job: MakeJob, runner: CliRunner) -> None:
    folder, record = make_job(status="running")
    with running(folder, "succeeded"):
        done = runner.invoke(insula, ["stop", record.job_id])
    assert done.exit_code == 0
    assert done.stdout == f"Job {record.job_id} was finished before it could stop: succeeded.\n"


def test_a_job_that_does_not_stop_in_time(
    make_job: MakeJob, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop, "_PATIENCE", 0.1)
    folder, record = make_job(status="running")
    lock = JobLock(folder.lock)
    try:
        done = runner.invoke(insula, ["stop", record.job_id])
    finally:
        lock.release()
    assert done.exit_code == 1
    assert "still runs its last batches" in done.stderr
    assert folder.stop.exists()


def test_without_waiting(make_job: MakeJob, runner: CliRunner) -> None:
    folder, record = make_job(status="running")
    lock = JobLock(folder.lock)
    try:
        done = runner.invoke(insula, ["stop", record.job_id, "--no-wait"])
    finally:
        lock.release()
    assert (done.exit_code, done.stderr) == (0, f"Job {record.job_id} was asked to stop.\n")
    assert folder.stop.exists()


@pytest.mark.parametrize("status", ["running", "stopped", "succeeded"])
def test_a_job_that_is_not_running(status: str, make_job: MakeJob, runner: CliRunner) -> None:
    folder, record = make_job(status=status)
    done = runner.invoke(insula, ["stop", record.job_id])
    assert (done.exit_code, done.stderr) == (2, f"insula: job {record.job_id} is not running\n")
    assert not folder.stop.exists()
