"""Starting the interpreters of workers, and some that stand by until it is known which workers they will be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from insula.worker.environment import THREADS

if TYPE_CHECKING:
    from insula.executors.interface import Start

# The working directory is on sys.path before anything is imported; a file of the project named json.py must not be taken
# for the real one. The project comes back when user code is loaded.
_COMMAND = (
    "import gc, sys; gc.disable(); sys.path[:1] = []; from insula.worker.{} import main; main(*map(int, sys.argv[1:]))"
)
# To fork one costs milliseconds, in which the others cannot begin.
_MOST = 8
# An interpreter that stands by says so as soon as it does; one that takes longer (seconds) than this is given up.
_PATIENCE = 10.0
_PR_SET_CHILD_SUBREAPER = 36


class Child(Protocol):
    """A child process, as `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""

    def wait(self) -> int:
        """Wait for its end and return its exit code."""


def launch(start: Start, python: str = sys.executable) -> tuple[Child, socket.socket]:
    """Start a worker's interpreter, in a session and so a process group of its own; return our end of its socket too."""
    with open(start.log, "ab") as log:
        process, (ours,) = _launch(python, "process", 1, start.environment, start.folder, log)
    ours.setblocking(False)
    return process, ours


def _launch(
    python: str, module: str, sockets: int, environment: Mapping[str, str], folder: Path | None, log: int | IO[Any]
) -> tuple[Child, list[socket.socket]]:
    pairs = [socket.socketpair() for _ in range(sockets)]
    theirs = [str(their.fileno()) for _, their in pairs]
    try:
        process = subprocess.Popen(
            [python, "-u", "-c", _COMMAND.format(module), str(os.getpid()), *theirs],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=tuple(map(int, theirs)),
            start_new_session=True,
        )
    except BaseException:
        for our, _ in pairs:
            our.close()
        raise
    finally:
        for _, their in pairs:
            their.close()
    return process, [our for our, _ in pairs]


class Standby:
    """Interpreters that have imported what every worker needs, while a job is still being read and checked.

    One is started and forks the others. Each can become only a worker whose environment is this process's own but for thread
    counts, which libraries read when they are imported: all else an interpreter or a loader may have read at its start.

    Args:
        workers: how many are wanted; by default as many as there are cores.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._environment = dict(os.environ)
        wanted = min(workers or _cores(), _MOST)
        several = wanted > 1 and _adopt(orphans=True)
        self._first, self._unheard = _launch(
            sys.executable, "standby", wanted if several else 1, self._environment, None, subprocess.DEVNULL
        )
        self._standing: list[tuple[Child, socket.socket]] = []

    def become(self, start: Start) -> tuple[Child, socket.socket] | None:
        """Make one of them the worker that is asked for; None if none can be that one, or all are used up."""
        if not self._fits(start):
            return None
        # Not at the top, as in all of this class: a standby starts before anything is imported.
        from insula.worker.protocol import pack

        frame = {
            "type": "become", "environment": dict(start.environment), "folder": str(start.folder),
            "log": str(start.log),
        }  # fmt: skip
        body = pack(frame)
        # An environment of a megabyte would not fit into the socket's buffer; such a one starts anew.
        if len(body) > 64 * 1024:
            return None
        self._hear()
        while self._standing:
            process, ours = self._standing.pop(0)
            if _send(ours, body):
                return process, ours
            ours.close()
            _end(process)
        return None

    def _fits(self, start: Start) -> bool:
        environment = start.environment
        names = {*environment, *self._environment}
        return all(environment.get(name) == self._environment.get(name) for name in names.difference(THREADS))

    def keep(self, workers: int) -> None:
        """End all that are more than so many."""
        self._hear()
        while len(self._standing) > workers:
            process, ours = self._standing.pop()
            ours.close()
            _end(process)

    def _hear(self) -> None:
        """Learn, once, which processes stand by."""
        from insula.worker.protocol import receive

        if not self._unheard:
            return
        for ours in self._unheard:
            ours.settimeout(_PATIENCE)
            try:
                frame = receive(ours)
            except OSError:
                frame = None
            if frame is None:
                ours.close()  # it is gone, or ends when it sees this
                continue
            ours.setblocking(False)
            child = self._first if frame["pid"] == self._first.pid else _Forked(frame["pid"])
            self._standing.append((child, ours))
        if len(self._unheard) > 1:
            _adopt(orphans=False)
        self._unheard = []
        if all(child is not self._first for child, _ in self._standing):
            _end(self._first)

    def close(self) -> None:
        """End all that nobody needed."""
        if self._unheard:
            _kill(self._first.pid)
        self.keep(0)


class _Forked:
    """A child that another one forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._waited(os.WNOHANG)

    def wait(self) -> int:
        code = self._waited(0)
        assert code is not None, "it has ended"
        return code

    def _waited(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _adopt(*, orphans: bool) -> bool:
    """Have processes come to this one when who forked them ends, or no longer; return whether the system does so."""
    if sys.platform != "linux":
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(orphans), 0, 0, 0) == 0)


def _send(ours: socket.socket, body: bytes) -> bool:
    try:
        return ours.send(body) == len(body)
    except OSError:
        return False  # it is gone; why shows when a fresh one is started, which has a log


def _end(process: Child) -> None:
    if process.poll() is None:
        _kill(process.pid)
        process.wait()


def _kill(pid: int) -> None:
    from insula.executors.identity import signal_group

    signal_group(pid)
