from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from insula.errors import UserError
from insula.hardware.locks import VARIABLE, in_use, reserve, take

HOLDER = """
import os, sys, time
from insula.hardware.locks import take
take(["neuron:0"], "job-1", "1-0-1")
if "fork" not in sys.argv or os.fork():
    sys.stdout.write("taken" + os.linesep)
    sys.stdout.flush()
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the locks of these tests away from those of the machine."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "locks"))
    return tmp_path / "locks"


@contextlib.contextmanager
def holder(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process, a worker of job-1, that has the first core."""
    command = [sys.executable, "-c", HOLDER, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "taken\n"
            yield process
        finally:
            process.kill()


def test_one_worker_at_a_time_has_a_device() -> None:
    with holder() as other:
        said = (
            f"device neuron:0 is in use by worker 1-0-1 of job job-1 \\(process {other.pid}\\); wait until it is free"
        )
        with pytest.raises(UserError, match=said):
            take(["neuron:1", "neuron:0"], "job-2", "1-0-1", patience=0.1)
        with take(["neuron:1"], "job-2", "1-0-1", patience=0):
            pass  # what was taken before the fault was given back


def test_a_replacement_waits_for_its_crashed_predecessor_to_be_gone() -> None:
    with holder() as crashed:
        threading.Timer(0.3, crashed.kill).start()
        begun = time.monotonic()
        with take(["neuron:0"], "job-1", "1-0-2", patience=30):
            assert time.monotonic() - begun >= 0.2


def test_a_forked_child_does_not_keep_the_lock_of_its_crashed_parent() -> None:
    with holder("fork") as crashed:
        (child,) = Path(f"/proc/{crashed.pid}/task/{crashed.pid}/children").read_text().split()
        try:
            crashed.kill()
            crashed.wait()
            with take(["neuron:0"], "job-1", "1-0-2", patience=10):
                assert Path(f"/proc/{child}").exists()
        finally:
            os.kill(int(child), signal.SIGKILL)


def test_one_job_at_a_time_reserves_a_device() -> None:
    with reserve(["cuda:GPU-1/2"], "job-1"):
        with pytest.raises(UserError, match=f"cuda:GPU-1/2 is in use by job job-1 \\(process {os.getpid()}\\)"):
            reserve(["cuda:GPU-1/2"], "job-2")
        with take(["cuda:GPU-1/2"], "job-1", "1-0-1", patience=0):
            pass  # a job's own workers are not kept out
    reserve(["cuda:GPU-1/2"], "job-2").release()


def test_looking_takes_nothing_and_tells_who() -> None:
    devices = ["neuron:0", "neuron:1", "neuron:2"]
    with holder() as other, reserve(["neuron:1"], "job-2"):
        expected = {
            "neuron:0": f"worker 1-0-1 of job job-1 (process {other.pid})",
            "neuron:1": f"job job-2 (process {os.getpid()})",
        }
        assert in_use(devices) == in_use(devices) == expected
        with pytest.raises(UserError):
            reserve(["neuron:1"], "job-3")
    assert in_use(devices) == {}


LOOKING = """
import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_SH)
print("looking", flush=True)
sys.stdin.read()
"""


def test_who_only_looks_is_no_holder(folder: Path) -> None:
    reserve(["neuron:0"], "job-1").release()
    command = [sys.executable, "-c", LOOKING, folder / "reserved" / "neuron%3A0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "looking\n"
        assert in_use(["neuron:0"]) == {}
        assert other.stdin is not None
        other.stdin.close()


def test_a_lock_is_given_back_once() -> None:
    locks = reserve(["neuron:0"], "job-1")
    locks.release()
    with reserve(["neuron:0"], "job-2"):
        locks.release()
        assert in_use(["neuron:0"])


def test_where_locks_cannot_be_kept(folder: Path) -> None:
    folder.write_text("not a folder")
    with pytest.raises(UserError, match=f"the locks of devices cannot be kept there.*set {VARIABLE}"):
        reserve(["neuron:0"], "job-1")
    assert in_use(["neuron:0"]) == {}


def test_where_files_cannot_be_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    reserve(["neuron:0"], "job-1").release()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "lockf", refuse)
        before = len(os.listdir("/proc/self/fd"))
        for ask in (lambda: reserve(["neuron:0"], "job-1"), lambda: in_use(["neuron:0"])):
            with pytest.raises(UserError, match=f"cannot be kept there: No locks available; set {VARIABLE}"):
                ask()
        assert len(os.listdir("/proc/self/fd")) == before
    reserve(["neuron:0"], "job-2").release()


def test_without_devices_nothing_is_written(folder: Path) -> None:
    with reserve([], "job-1"), take([], "job-1", "1-0-1"):
        assert not folder.exists()


def test_by_default_all_jobs_of_a_user_share_one_folder(tmp_path: Path) -> None:
    code = "import os; from insula.hardware import locks; del os.environ[locks.VARIABLE]; print(locks._folder('taken'))"
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "INSULA_HOME": str(tmp_path / home), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for home in ("one", "two")
    ]
    assert found == [f"/tmp/insula-{os.getuid()}/devices/taken\n"] * 2
