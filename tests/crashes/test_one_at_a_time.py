"""One coordinator a job, one unfinished job a folder; a job that is stopped goes on where it stood."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

SECOND = """
import sys
from insula.errors import JobError
from insula.jobs.record import read_record
from insula.jobs.running import run
from insula.jobs.store import JobStore, home

(folder,) = JobStore(home())
try:
    run(folder, read_record(folder))
except JobError as error:
    print(error)
"""


@pytest.fixture
def running(trial):
    """A job whose workers are at it."""
    trial.write_rows(2000)
    process = trial.run(0.01)
    trial.wait(lambda: trial.events("worker_ready"), "a worker")
    return trial, process


def test_a_second_coordinator_is_refused(running) -> None:
    trial, process = running
    found = subprocess.run(
        [sys.executable, "-c", SECOND], env=trial.environment(), capture_output=True, text=True, check=True
    )
    assert f"running already, in process {process.pid} on" in found.stdout
    assert trial.finish(trial.resume(), (1, 2))
    assert f"in process {process.pid} on" in trial.log()
    trial.finish(process)
    trial.check()
    assert trial.summary()["coordinators"] == 1


def test_of_many_that_resume_at_once_one_does(running) -> None:
    trial, process = running
    trial.kill(process)
    resumed = [trial.resume() for _ in range(4)]
    codes = sorted(trial.finish(one, (0, 1, 2)) for one in resumed)
    assert codes.count(0) == 1
    trial.check()
    assert trial.summary()["coordinators"] == 2


def test_a_folder_of_an_unfinished_job_is_refused(running, trials) -> None:
    trial, process = running
    other = trials()
    other.write_rows(10)
    other.output = trial.output
    assert other.finish(other.run(), (2,)) == 2
    assert f"is being written by job {trial.job.name}, which is not finished" in other.log()
    trial.kill(process)  # the folder is claimed also while nobody runs the job
    assert other.finish(other.run(), (2,)) == 2
    assert not list((other.home / "jobs").iterdir())
    trial.finish(trial.resume())
    trial.check()
    other.finish(other.run())
    other.check()


def test_stop_and_resume(running) -> None:
    trial, process = running
    (trial.job / "stop").touch()
    trial.finish(process, (1, 130))
    assert trial.status()["status"] == "stopped"
    assert not (trial.output / "predictions.jsonl").exists()
    assert not trial.processes()
    done = trial.status()["accounted"]
    assert 0 < done < 2000
    trial.finish(trial.resume())
    trial.check()
    assert len(trial.events("job_started")) == 2
    assert not (trial.job / "stop").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_lets_batches_finish(running, number: int) -> None:
    trial, process = running
    process.send_signal(number)
    assert trial.finish(process, (130,)) == 130
    assert trial.status()["status"] == "stopped"
    assert trial.status()["attempts_failed"] == 0
    trial.finish(trial.resume())
    trial.check()


def test_two_signals_end_at_once(trial) -> None:
    trial.write_rows(16)
    process = trial.run(3.0)
    trial.wait(lambda: trial.events("worker_ready"), "a worker")
    process.send_signal(signal.SIGINT)
    trial.wait(lambda: "once more" in trial.log(), "the answer to the first")
    process.send_signal(signal.SIGINT)
    assert trial.finish(process, (130,)) == 130
    trial.wait(lambda: not trial.processes(), "the end of the workers")
    trial.finish(trial.resume())
    trial.check()


def test_what_a_worker_started_ends_with_a_coordinator_that_takes_over(trial, predictor: str) -> None:
    """The worker dies with its coordinator before it can end its children: the next coordinator does."""
    trial.write_project(
        f"import subprocess\n{predictor}".replace(
            "self.config = config", "self.config = config; subprocess.Popen(['sleep', '600'])"
        )
    )
    trial.write_rows(400)
    process = trial.run(0.02)
    trial.wait(lambda: len(trial.events("worker_ready")) == 2, "both workers")
    # What makes the system end it with its parent is asked for behind the first frame.
    trial.wait(lambda: len(list((trial.job / "cells").iterdir())) == 2, "both to have begun")
    workers = trial.workers_alive()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)  # so that it cannot see the coordinator's end and end its group itself
    trial.wait(lambda: all(psutil.Process(pid).status() == psutil.STATUS_STOPPED for pid in workers), "all to stop")
    trial.kill(process)
    trial.wait(lambda: not trial.workers_alive(), "the end of the workers, which the system ends with their parent")
    assert len(trial.processes()) == 2
    trial.finish(trial.resume())
    trial.check()
