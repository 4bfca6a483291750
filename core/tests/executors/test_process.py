"""Processes that stand in for workers: programs that are started as an interpreter would be."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from insula.executors.identity import started
from insula.executors.interface import Cause, Died, Frame, Start
from insula.executors.process import ProcessExecutor

# What is started ends with the command: the descriptor of the socket, and the coordinator's process.
PROGRAM = f"""#!{sys.executable}
import os, signal, socket, subprocess, sys, time
from insula.worker.protocol import Unpacker, pack
ours = socket.socket(fileno=int(sys.argv[-1]))
"""
Starter = Callable[[str], tuple[ProcessExecutor, Any]]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Starter]:
    """Start a worker that runs some code."""
    program, executor = tmp_path / "program", ProcessExecutor(python=str(tmp_path / "program"))

    def start(code: str) -> tuple[ProcessExecutor, Any]:
        program.write_text(PROGRAM + code)
        program.chmod(0o755)
        environment = {**os.environ, "GREETING": "hello"}
        return executor, executor.start(Start("1-0-1", environment, tmp_path, tmp_path / "log"))

    yield start
    executor.close()


def everything(executor: ProcessExecutor, until: Callable[[list[Any]], object]) -> list[Any]:
    """Receive until what has come is enough."""
    found: list[Any] = []
    deadline = time.monotonic() + 60
    while not until(found):
        assert time.monotonic() < deadline, found
        found += executor.receive(0.5)
    return found


def dead(found: list[Any]) -> bool:
    return any(isinstance(one, Died) for one in found)


def test_frames_go_both_ways_and_the_last_ones_come_before_the_death(worker: Starter, tmp_path: Path) -> None:
    executor, handle = worker(
        "frames = Unpacker()\n"
        "asked = next(frame for _ in iter(int, 1) for frame in frames.feed(ours.recv(1 << 20)))\n"
        "print('logged', flush=True)\n"
        "ours.sendall(pack({'type': 'one', 'length': len(asked['text']), 'said': os.environ['GREETING'],"
        " 'folder': os.getcwd()}) + pack({'type': 'two'}))\n"
        "sys.exit(3)\n"
    )
    assert executor.identity(handle) == (handle.process.pid, started(handle.process.pid))
    executor.send(handle, {"type": "ask", "text": "x" * 3_000_000})  # more than a socket holds
    first, second, died = everything(executor, dead)
    expected = {"type": "one", "length": 3_000_000, "said": "hello", "folder": str(tmp_path)}
    assert (first, second) == (Frame(handle, expected), Frame(handle, {"type": "two"}))
    assert died == Died(handle, Cause(code=3))
    assert (tmp_path / "log").read_text() == "logged\n"
    executor.send(handle, {"type": "late"})  # is lost


def test_who_ended_it_is_told_apart(worker: Starter) -> None:
    executor, handle = worker("os.kill(os.getpid(), signal.SIGKILL)\n")
    assert everything(executor, dead) == [Died(handle, Cause(signal=9))]
    executor, handle = worker("time.sleep(600)\n")
    executor.kill(handle)
    assert everything(executor, dead) == [Died(handle, Cause(signal=9, sent=True))]


def test_what_a_dead_worker_started_is_ended_though_it_holds_the_socket(worker: Starter) -> None:
    executor, _ = worker(
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], close_fds=False)\n"
        "ours.sendall(pack({'type': 'child', 'pid': child.pid}))\n"
        "os._exit(0)\n"
    )
    child, died = everything(executor, dead)
    assert died.cause == Cause(code=0)
    deadline = time.monotonic() + 60
    while started(child.frame["pid"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_no_message_ends_the_worker_that_sent_it(worker: Starter) -> None:
    executor, _ = worker("ours.sendall(b'\\xff' * 100)\ntime.sleep(600)\n")
    (died,) = everything(executor, dead)
    assert died.cause.text.startswith("sent what is no message")
    assert "does the predictor write to a file that it has not opened?" in died.cause.text


def test_waiting_can_be_ended(worker: Starter) -> None:
    executor, _ = worker("time.sleep(600)\n")
    for _ in range(100_000):  # more than the waker holds
        executor.wake()
    begun = time.monotonic()
    assert executor.receive(60) == []
    assert time.monotonic() - begun < 30


def test_closing_ends_everybody_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    executor = ProcessExecutor()
    handles = [executor.start(Start(name, os.environ, tmp_path, tmp_path / "log")) for name in ("1-0-1", "1-1-1")]
    executor.close()
    assert [handle.process.returncode for handle in handles] == [-9, -9]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_that_cannot_be_started_leaves_nothing_open(tmp_path: Path) -> None:
    executor = ProcessExecutor(python=str(tmp_path / "absent"))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        executor.start(Start("1-0-1", os.environ, tmp_path, tmp_path / "log"))
    assert len(os.listdir("/proc/self/fd")) == before
    executor.close()
