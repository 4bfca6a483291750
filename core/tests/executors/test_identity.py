from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from insula.errors import JobError
from insula.executors.identity import end, started

SLEEP = "import time; time.sleep(60)"
# Ends while what it started lives on in its group.
PARENT = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True)"


@pytest.fixture
def processes() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    made = []

    def make(code: str, *, session: bool = True) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=session
        )
        made.append(process)
        return process

    yield make
    for process in made:
        process.kill()
        process.wait()
        process.stdout.close()


def is_alive(pid: int) -> bool:
    return started(pid) != ""


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_process_has_one_start(processes) -> None:
    process = processes(SLEEP)
    assert started(process.pid) == started(process.pid) != started(os.getpid()) != ""
    process.kill()
    wait(lambda: not is_alive(process.pid))  # a zombie is none
    process.wait()
    assert started(process.pid) == ""


def test_a_worker_is_ended(processes) -> None:
    process = processes(SLEEP)
    assert end(process.pid, started(process.pid))
    assert process.wait() == -signal.SIGKILL


def test_a_stopped_worker_is_ended(processes) -> None:
    process = processes(SLEEP)
    start = started(process.pid)
    process.send_signal(signal.SIGSTOP)
    assert end(process.pid, start)
    assert process.wait() == -signal.SIGKILL


def test_another_process_with_its_id_is_left_alone(processes) -> None:
    process = processes(SLEEP)
    assert not end(process.pid, "an earlier start")
    assert not end(process.pid, "")
    assert process.poll() is None


@pytest.fixture
def orphan(processes) -> Iterator[tuple[int, str, int]]:
    """A worker that has ended, its start, and a process of its group that has not."""
    process = processes(PARENT)
    start = started(process.pid)
    child = int(process.stdout.readline())
    process.wait()
    yield process.pid, start, child
    if is_alive(child):
        os.kill(child, signal.SIGKILL)


def test_what_a_worker_left_behind_is_ended(orphan) -> None:
    pid, start, child = orphan
    assert end(pid, start)
    assert not is_alive(child)
    assert not end(pid, start)


def test_what_ran_before_the_machine_started_anew_is_nobody(orphan) -> None:
    pid, start, child = orphan
    assert not end(pid, "another-boot:" + start.partition(":")[2])
    assert is_alive(child)


def test_a_group_within_another_session_is_left_alone(processes) -> None:
    """As a shell makes them: were its first process gone, it would still be no worker's."""
    process = processes(
        "import os, subprocess, sys; os.setpgid(0, 0);"
        f"print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True)",
        session=False,
    )
    start = started(process.pid)
    child = int(process.stdout.readline())
    process.wait()
    try:
        assert not end(process.pid, start)
        assert is_alive(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_what_does_not_end_is_named(processes, monkeypatch: pytest.MonkeyPatch) -> None:
    process = processes(SLEEP)
    monkeypatch.setattr(os, "killpg", lambda group, number: None)
    with pytest.raises(JobError, match=f"worker process {process.pid} of an earlier run does not end"):
        end(process.pid, started(process.pid), patience=0.05)
