"""Workers as subprocesses of a Python interpreter, each leading a process group, spoken to over a socket pair."""

from __future__ import annotations

import os
import selectors
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from insula.descriptors import ExecutorType
from insula.errors import ProtocolError
from insula.executors.identity import has_ended, signal_group, started
from insula.executors.interface import Cause, Died, Executor, Frame, Start
from insula.executors.launching import Child, Standby, launch
from insula.hookspecs import hookimpl
from insula.records import define
from insula.worker.protocol import Unpacker, pack

# Without pidfd (macOS), deaths that leave the socket open in a grandchild are found by asking this often.
_POLL = 0.2
# A worker whose socket is closed has nothing more to say; its exit handlers get this long.
_EXIT_PATIENCE = 5.0


@define(eq=False)
class Process:
    """A worker process and our end of its socket."""

    name: str
    process: Child
    socket: socket.socket
    pidfd: int
    unpacker: Unpacker = attrs.field(factory=Unpacker)
    unsent: bytearray = attrs.field(factory=bytearray)
    killed: bool = False
    closed: bool = False
    fault: str = ""
    deadline: float | None = None


class ProcessExecutor(Executor):
    """Runs workers as processes of this machine.

    Args:
        python: the interpreter; it must have insula and the plugins of the job.
        standby: interpreters that were started in advance, for the first workers; the caller closes it.
    """

    def __init__(self, python: str = sys.executable, standby: Standby | None = None) -> None:
        self._python = python
        self._standby = standby
        self._selector = selectors.DefaultSelector()
        self._alive: list[Process] = []
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)

    def start(self, start: Start) -> Process:
        """Start a worker process, or have one that stands by become it."""
        standing_by = self._standby.become(start) if self._standby is not None else None
        process, ours = standing_by or launch(start, self._python)
        handle = Process(start.name, process, ours, _pidfd(process.pid))
        self._selector.register(ours, selectors.EVENT_READ, handle)
        if handle.pidfd >= 0:
            self._selector.register(handle.pidfd, selectors.EVENT_READ, handle)
        self._alive.append(handle)
        return handle

    def identity(self, handle: Process) -> tuple[int, str] | None:
        """Return the process id and when it started."""
        return handle.process.pid, started(handle.process.pid)

    def send(self, handle: Process, frame: Mapping[str, Any]) -> None:
        """Queue a frame; it goes out as fast as the worker takes it."""
        if not handle.closed:
            handle.unsent += pack(dict(frame))
            self._push(handle)

    def _push(self, handle: Process) -> None:
        try:
            while handle.unsent:
                del handle.unsent[: handle.socket.send(handle.unsent)]
        except BlockingIOError:
            pass  # the rest goes when the socket can take it
        except (BrokenPipeError, ConnectionResetError):
            handle.unsent.clear()  # its death is on its way to the coordinator
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if handle.unsent else 0)
        if not handle.closed and self._selector.get_key(handle.socket).events != wanted:
            self._selector.modify(handle.socket, wanted, handle)

    # ------------------------------------------------------------------------------------------ receiving

    def receive(self, timeout: float) -> Sequence[Frame | Died]:
        """Return frames and deaths."""
        found: list[Frame | Died] = []
        polling = any(handle.pidfd < 0 for handle in self._alive)
        for key, mask in self._selector.select(min(timeout, _POLL) if polling else timeout):
            if key.data is None:
                self._calm()
            elif key.fileobj is key.data.socket:
                if mask & selectors.EVENT_WRITE:
                    self._push(key.data)
                if mask & selectors.EVENT_READ:
                    found += self._read(key.data)
        for handle in list(self._alive):
            if has_ended(handle.process.pid):
                found += self._buried(handle)
            elif handle.deadline is not None and time.monotonic() > handle.deadline:
                self.kill(handle)
        return found

    def _calm(self) -> None:
        try:
            while self._woken.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _read(self, handle: Process) -> Iterable[Frame]:
        """Read what is there; at its end, unregister the socket."""
        frames: list[dict[str, Any]] = []
        try:
            while data := handle.socket.recv(1 << 18):
                frames += handle.unpacker.feed(data)
            self._hang_up(handle)
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self._hang_up(handle)
        except ProtocolError as error:
            handle.fault = (
                f"sent what is no message ({error}); does the predictor write to a file that it has not opened?"
            )
            self._hang_up(handle)
            self.kill(handle)
        return [Frame(handle, frame) for frame in frames]

    def _hang_up(self, handle: Process) -> None:
        if not handle.closed:
            handle.closed = True
            handle.deadline = time.monotonic() + _EXIT_PATIENCE
            self._selector.unregister(handle.socket)

    def _buried(self, handle: Process) -> Iterable[Frame | Died]:
        """Take the last frames and the exit code of a worker that ends, and end what it leaves behind."""
        frames = [] if handle.closed else list(self._read(handle))
        # Until it is waited for, its process id, and so the group's, can be nobody else's.
        signal_group(handle.process.pid)
        code = handle.process.wait()
        self._hang_up(handle)
        handle.socket.close()
        if handle.pidfd >= 0:
            self._selector.unregister(handle.pidfd)
            os.close(handle.pidfd)
        self._alive.remove(handle)
        cause = Cause(code=code) if code >= 0 else Cause(signal=-code, sent=handle.killed)
        if handle.fault:
            cause = Cause(text=handle.fault, sent=True)
        return [*frames, Died(handle, cause)]

    # ------------------------------------------------------------------------------------------ ending

    def wake(self) -> None:
        """Make `receive` return."""
        try:
            self._waker.send(b"\0")
        except BlockingIOError:
            pass  # it has enough to wake up for

    def kill(self, handle: Process) -> None:
        """End the process group."""
        handle.killed = True
        signal_group(handle.process.pid)

    def close(self) -> None:
        """End every worker."""
        for handle in list(self._alive):
            self.kill(handle)
        for handle in list(self._alive):
            self._buried(handle)
        self._selector.close()
        self._waker.close()
        self._woken.close()


def _pidfd(pid: int) -> int:
    return os.pidfd_open(pid) if sys.platform == "linux" else -1


class _Plugin:
    @hookimpl
    def insula_executor(self) -> ExecutorType:
        return ExecutorType("process")

    @hookimpl
    def insula_create_executor(self, options: Mapping[str, Any]) -> ProcessExecutor:
        return ProcessExecutor(**options)


plugin = _Plugin()
