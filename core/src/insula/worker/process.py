"""A worker as a process: frames over an inherited socket, and an end as soon as that socket closes.

There is no heartbeat: a C call can hold the GIL for minutes and be healthy.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from insula.errors import ProtocolError
from insula.worker.forked import end_child
from insula.worker.loop import Worker
from insula.worker.protocol import Unpacker, pack
from insula.worker.writing import WriterBehind

_PR_SET_PDEATHSIG = 1


def main(parent: int, descriptor: int) -> None:
    """Serve the coordinator at the other end of a socket until it says `finish` or is gone.

    Args:
        parent: the coordinator's process id.
        descriptor: the socket.
    """
    # What was imported so far stays: from here on it is not looked through for garbage.
    gc.freeze()
    serve(socket.socket(fileno=descriptor), parent)


def serve(connected: socket.socket, parent: int) -> None:
    """Serve the coordinator, as `main` does, at the other end of this socket."""
    gc.enable()
    connection = _Connection(connected)
    worker = Worker(connection.send, lambda parts, send: WriterBehind(parts, send, connection.fail))
    connection.serve(worker.overtake)
    going = worker.handle(connection.frames.get())
    # Behind the first frame, as it delays nobody there; until then the end of the socket does as much.
    _die_with(parent)
    while going:
        going = worker.handle(connection.frames.get())
    connection.finish()


class _Connection:
    """The socket, read in a thread of its own so that its end is seen while user code runs."""

    def __init__(self, connected: socket.socket) -> None:
        connected.set_inheritable(False)
        self.frames: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._socket = connected
        self._sending = threading.Lock()
        self._process = os.getpid()
        self._finished = False

    def serve(self, overtake: Callable[[Mapping[str, Any]], None]) -> None:
        """Begin to receive; `overtake` is called with each frame as it comes, whatever else is waiting."""
        threading.Thread(target=self._receive, args=(overtake,), name="insula-receiver", daemon=True).start()

    def send(self, frame: dict[str, Any]) -> None:
        if os.getpid() != self._process:
            end_child(sys.exc_info()[1])
        with self._sending:
            self._socket.sendall(pack(frame))

    def fail(self, error: BaseException) -> None:
        """End the process because what it did cannot be written down."""
        from insula.worker.tracebacks import describe

        failure = describe(error)
        # Without a report there is no result: whatever else this process did is done again by another.
        self.send(
            {"type": "unwritable", "errno": getattr(error, "errno", None), "error": [failure.type, failure.message, ""]}
        )
        os._exit(74)

    def finish(self) -> None:
        self._finished = True
        sys.stdout.flush()
        self._socket.shutdown(socket.SHUT_WR)

    def _receive(self, overtake: Callable[[Mapping[str, Any]], None]) -> None:
        unpacker = Unpacker()
        try:
            while data := self._socket.recv(1 << 18):
                for frame in unpacker.feed(data):
                    overtake(frame)
                    self.frames.put(frame)
        except (OSError, ProtocolError):
            pass  # a reset says what an end of file says, and so does what no coordinator can have sent
        if not self._finished:
            os.killpg(0, signal.SIGKILL)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.killpg(0, signal.SIGKILL)
