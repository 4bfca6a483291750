"""Interpreters that stand by, and what they can become."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from insula.executors import launching
from insula.executors.identity import has_ended, started
from insula.executors.interface import Start
from insula.executors.launching import Child, Standby
from insula.worker.environment import THREADS

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only one stands by")


@pytest.fixture
def standby() -> Iterator[Standby]:
    standby = Standby(2)
    yield standby
    standby.close()


def start(standby: Standby, folder: Path, **more: str) -> Start:
    # Not os.environ: pytest has changed it since.
    environment = {**standby._environment, **dict.fromkeys(THREADS, "1"), **more}
    return Start("1-0-1", environment, folder, folder / "log")


def standing(standby: Standby) -> list[Child]:
    standby._hear()
    return [process for process, _ in standby._standing]


def end(worker: tuple[Child, socket.socket]) -> int:
    process, ours = worker
    ours.close()  # a worker ends when its socket closes
    return process.wait()


@linux
def test_each_becomes_a_worker_once(standby: Standby, tmp_path: Path) -> None:
    became = [standby.become(start(standby, tmp_path)) for _ in range(3)]
    assert became.pop() is None
    workers = [worker for worker in became if worker is not None]
    assert len({process.pid for process, _ in workers}) == 2
    assert [end(worker) for worker in workers] == [-signal.SIGKILL] * 2


@linux
def test_one_that_was_forked_is_a_child_like_any_other(standby: Standby) -> None:
    first, forked = standing(standby)
    assert os.getsid(forked.pid) == os.getpgid(forked.pid) == forked.pid
    assert Path(f"/proc/{forked.pid}/status").read_text().split("PPid:")[1].split()[0] == str(os.getpid())
    assert started(forked.pid)
    assert not has_ended(forked.pid)
    os.kill(first.pid, signal.SIGKILL)  # its end is not theirs
    first.wait()
    assert forked.poll() is None
    os.kill(forked.pid, signal.SIGTERM)
    assert (forked.wait(), forked.poll()) == (-signal.SIGTERM, -signal.SIGTERM)


@linux
def test_one_that_was_forked_has_only_its_own_socket(standby: Standby) -> None:
    first, forked = standing(standby)
    sockets = [
        {name for entry in Path(f"/proc/{one.pid}/fd").iterdir() if "socket" in (name := str(entry.readlink()))}
        for one in (first, forked)
    ]
    assert [len(found) for found in sockets] == [1, 1]
    assert sockets[0].isdisjoint(sockets[1])


@linux
def test_this_process_takes_in_no_orphans_later(standby: Standby) -> None:
    standing(standby)
    with subprocess.Popen(["sh", "-c", "sleep 5 > /dev/null & echo $!"], stdout=subprocess.PIPE, text=True) as shell:
        pid = int(shell.communicate()[0])
    assert Path(f"/proc/{pid}/status").read_text().split("PPid:")[1].split()[0] != str(os.getpid())
    os.kill(pid, signal.SIGKILL)


@linux
def test_they_end_with_the_coordinator(tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom insula.executors.launching import Standby\n"
        "standby = Standby(3); standby._hear()\n"
        "print(*(process.pid for process, _ in standby._standing), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 3
    for pid in pids:
        _wait_for_end(pid)


def _wait_for_end(pid: int) -> None:
    for _ in range(500):
        if not started(pid):
            return
        time.sleep(0.02)
    raise AssertionError(f"{pid} is still there")


def test_where_orphans_come_to_nobody_one_stands_by(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(launching, "_adopt", lambda *, orphans: False)
    standby = Standby(4)
    worker = standby.become(start(standby, tmp_path))
    assert worker is not None
    assert standby.become(start(standby, tmp_path)) is None
    assert end(worker) == -signal.SIGKILL
    standby.close()


def test_not_one_of_another_environment(standby: Standby, tmp_path: Path) -> None:
    assert standby.become(start(standby, tmp_path, CUDA_VISIBLE_DEVICES="0")) is None


def test_not_one_that_has_a_variable_too_many(standby: Standby, tmp_path: Path) -> None:
    wanted = start(standby, tmp_path)
    fewer = {name: value for name, value in wanted.environment.items() if name != "PATH"}
    assert len(fewer) < len(wanted.environment)
    assert standby.become(attrs.evolve(wanted, environment=fewer)) is None


def test_not_with_an_environment_that_no_socket_takes_at_once(standby: Standby, tmp_path: Path) -> None:
    standby._environment["LARGE"] = "x" * 100_000
    assert standby.become(start(standby, tmp_path)) is None


@linux
def test_another_where_one_is_gone(standby: Standby, tmp_path: Path) -> None:
    first, forked = standing(standby)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    worker = standby.become(start(standby, tmp_path))
    assert worker is not None
    assert worker[0].pid == forked.pid
    end(worker)


def test_none_where_the_first_is_gone_before_it_could_fork(tmp_path: Path) -> None:
    standby = Standby(2)
    os.kill(standby._first.pid, signal.SIGKILL)
    assert standby.become(start(standby, tmp_path)) is None
    assert standby._first.poll() == -signal.SIGKILL


@linux
def test_more_than_are_wanted_are_ended(standby: Standby) -> None:
    first, forked = standing(standby)
    standby.keep(1)
    assert (first.poll(), forked.poll()) == (None, -signal.SIGKILL)


def test_what_nobody_needed_is_ended(standby: Standby) -> None:
    processes = standing(standby)
    standby.close()
    assert [process.poll() for process in processes] == [-signal.SIGKILL] * len(processes)


def test_what_nobody_has_heard_of_is_ended() -> None:
    standby = Standby(2)
    standby.close()
    assert standby._first.poll() == -signal.SIGKILL
