"""Starting the interpreter of a worker, and one that stands by until it is known which worker it will be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from insula.worker.environment import THREADS

if TYPE_CHECKING:
    from insula.executors.interface import Start

# The working directory is on sys.path before anything is imported; a file of the project named json.py must not be taken
# for the real one. The project comes back when user code is loaded.
_COMMAND = (
    "import gc, sys; gc.disable(); sys.path[:1] = []; "
    "from insula.worker.process import main; main(*map(int, sys.argv[1:]))"
)


def launch(start: Start, python: str = sys.executable) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a worker's interpreter, in a session and so a process group of its own; return our end of its socket too."""
    with open(start.log, "ab") as log:
        return _launch(python, start.environment, start.folder, log)


def _launch(
    python: str, environment: Mapping[str, str], folder: Path | None, log: int | IO[Any]
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                [python, "-u", "-c", _COMMAND, str(theirs.fileno()), str(os.getpid())],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    return process, ours


class Standby:
    """An interpreter that has imported what every worker needs, while a job is still being read and checked.

    It can become only a worker whose environment is this process's own but for thread counts, which libraries read when
    they are imported: all else an interpreter or a loader may have read at its start.
    """

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._started: tuple[subprocess.Popen[bytes], socket.socket] | None = _launch(
            sys.executable, self._environment, None, subprocess.DEVNULL
        )

    def become(self, start: Start) -> tuple[subprocess.Popen[bytes], socket.socket] | None:
        """Make it the worker that is asked for; None if it cannot be that one, or is used up."""
        # Not at the top: a standby starts before anything is imported.
        from insula.worker.protocol import pack

        if self._started is None or not self._fits(start):
            return None
        process, ours = self._started
        self._started = None
        frame = {
            "type": "become", "environment": dict(start.environment), "folder": str(start.folder),
            "log": str(start.log),
        }  # fmt: skip
        # An environment of a megabyte would not fit into the socket's buffer; such a one starts anew.
        body = pack(frame)
        if len(body) <= 64 * 1024 and _send(ours, body):
            return process, ours
        _end(process, ours)
        return None

    def _fits(self, start: Start) -> bool:
        environment = start.environment
        names = {*environment, *self._environment}
        return all(environment.get(name) == self._environment.get(name) for name in names.difference(THREADS))

    def close(self) -> None:
        """End it, if nobody needed it."""
        if self._started is not None:
            _end(*self._started)
            self._started = None


def _send(ours: socket.socket, body: bytes) -> bool:
    try:
        return ours.send(body) == len(body)
    except OSError:
        return False  # it is gone; why shows when a fresh one is started, which has a log


def _end(process: subprocess.Popen[bytes], ours: socket.socket) -> None:
    from insula.executors.identity import signal_group

    ours.close()
    if process.poll() is None:
        signal_group(process.pid)
        process.wait()
