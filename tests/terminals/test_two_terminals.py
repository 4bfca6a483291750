"""A job that is run in one terminal, watched and stopped from others, and resumed: what each shows, and how each ends."""

from __future__ import annotations

import signal
import time

import pytest

SAMPLES, BATCHES = 1600, 200


@pytest.fixture
def begun(trial, terminal):
    """A job of eight seconds in a terminal, with its id: other commands are to be started meanwhile."""
    trial.write_rows(SAMPLES)
    words = [word for word in trial.submission(0.08) if word != "--quiet"]
    first = terminal(*words, "--input", *trial.inputs, "--batch-size", trial.batch_size)
    first.wait_for(r"running +[1-9]\d*%")
    return first, trial.job.name


def share(trial) -> int:
    return trial.status().get("accounted", 0) * 100 // SAMPLES


def test_run_watch_stop_resume(begun, trial, terminal) -> None:
    first, job = begun
    following = terminal("logs", "-f", job)
    following.wait_for("worker_ready")

    # The other commands read a file that is a second old at most.
    trial.wait(lambda: share(trial) > 0, "a status with progress")
    listed, status = terminal("jobs"), terminal("status", job)
    assert listed.finish() == 0
    assert job in listed.text
    assert "running" in listed.text
    assert status.finish() == 0
    assert "running" in status.text
    assert f"of {BATCHES}" in status.text
    assert "samples/s" in status.text

    assert first.process.poll() is None
    stop = terminal("stop", job)
    assert stop.finish() == 0
    assert f"Job {job} is stopped. To finish it: insula resume {job}" in stop.text
    assert first.finish() == 1
    assert f"To finish it: insula resume {job}" in first.text
    done = share(trial)
    assert 0 < done < 100
    # Who follows the logs is told of the end, and ends.
    assert following.finish() == 0
    assert "status stopped" in following.text

    resumed = terminal("resume", job)
    assert resumed.finish() == 0
    assert f"job {job} goes on (start 2)" in resumed.text
    shares = resumed.shares()
    assert shares[0] >= done
    assert shares == sorted(shares)
    # It was not yet at its end when it was first drawn: this was the resumed job's bar.
    assert shares[0] < 100
    # The bar is gone and the cursor is back.
    assert resumed.raw.rindex("\x1b[?25h") > resumed.raw.rindex("\x1b[?25l")
    assert "1,600 samples = 1,600 predictions" in resumed.text.rpartition("running")[2]
    trial.check()


def test_ctrl_c_once(begun, trial, terminal) -> None:
    first, job = begun
    following = terminal("logs", "--follow", job)
    first.type("\x03")
    first.wait_for("stopping when the running batches are done; once more ends at once")
    assert first.finish() == 130
    assert f"To finish it: insula resume {job}" in first.text.rpartition("once more ends at once")[2]
    assert "Traceback" not in first.text
    assert trial.status()["status"] == "stopped"
    assert trial.status()["attempts_failed"] == 0
    assert following.finish() == 0
    assert not trial.processes()
    assert terminal("resume", job).finish() == 0
    trial.check()


def test_ctrl_c_twice(trial, terminal) -> None:
    trial.write_rows(32)
    words = [word for word in trial.submission(30.0) if word != "--quiet"]
    first = terminal(*words, "--input", *trial.inputs, "--batch-size", trial.batch_size)
    first.wait_for("running +0%")
    trial.wait(lambda: trial.events("worker_ready"), "a worker")
    begun = time.monotonic()
    first.type("\x03")
    first.wait_for("once more ends at once")
    first.type("\x03")
    assert first.finish() == 130
    assert time.monotonic() - begun < 20
    assert f"insula resume {trial.job.name}" in first.text.rpartition("once more ends at once")[2]
    assert "Traceback" not in first.text
    trial.wait(lambda: not trial.processes(), "the end of the workers")


def test_ctrl_c_where_logs_are_followed_ends_only_that(begun, trial, terminal) -> None:
    first, job = begun
    following = terminal("logs", "-f", job)
    following.wait_for("worker_ready")
    following.type("\x03")
    assert following.finish() == 130
    assert "Traceback" not in following.text
    assert first.finish() == 0
    trial.check()


def test_a_terminal_that_is_closed(begun, trial, terminal) -> None:
    """The system ends the command; the job stands where it stood."""
    first, job = begun
    first.process.send_signal(signal.SIGHUP)
    assert first.finish() == -signal.SIGHUP
    trial.wait(lambda: not trial.processes(), "the end of the workers")
    status = terminal("status", job)
    assert status.finish() == 0
    assert "interrupted" in status.text
    assert terminal("resume", job).finish() == 0
    trial.check()


def test_exit_codes(trial, terminal, predictor: str) -> None:
    trial.write_rows(32)
    words = [word for word in trial.submission() if word != "--quiet"]
    assert terminal(*words, "--input", trial.folder / "nothing-*").finish() == 2
    assert terminal("status", "no-such-job").finish() == 2
    trial.write_project(predictor.replace("number * 2", "1 // (number - 5)"))
    failed = terminal(*words, "--input", *trial.inputs)
    assert failed.finish() == 1
    assert "ZeroDivisionError" in failed.text
    assert "32 samples = 31 predictions + 1 dead letter" in failed.text
    assert terminal("resume", trial.job.name).finish() == 1  # finished as it is, and it says so again
    assert terminal("stop", trial.job.name).finish() == 2
