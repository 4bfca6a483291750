"""One worker in the coordinator's own process and thread: for tests, debuggers and jobs too small for a process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from bdb import BdbQuit
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from insula.descriptors import ExecutorType
from insula.executors.interface import Cause, Died, Executor, Frame, Start
from insula.hookspecs import hookimpl
from insula.records import define
from insula.worker.loop import Worker
from insula.worker.protocol import decode, encode


@define(eq=False)
class Inline:
    """A worker that runs when `receive` is called."""

    worker: Worker
    waiting: deque[Mapping[str, Any]] = attrs.field(factory=deque)
    ended: bool = False


class InlineExecutor(Executor):
    """Runs workers in this process, which gets their environment, working directory and `sys.path` until `close`."""

    def __init__(self) -> None:
        self._workers: list[Inline] = []
        self._found: deque[Frame | Died] = deque()
        self._awake = threading.Event()
        self._before = (dict(os.environ), Path.cwd(), list(sys.path))
        self._modules = set(sys.modules)
        self._logging = (list(logging.root.handlers), logging.root.level)

    def start(self, start: Start) -> Inline:
        """Make a worker."""
        os.environ.clear()
        os.environ.update(start.environment)
        os.chdir(start.folder)

        def send(frame: dict[str, Any]) -> None:
            # Through JSON as between processes, so that nothing is shared by accident.
            self._found.append(Frame(handle, decode(encode(frame))))

        handle = Inline(Worker(send, passing=(KeyboardInterrupt, BdbQuit)))
        self._workers.append(handle)
        return handle

    def identity(self, handle: Inline) -> tuple[int, str] | None:
        """Return None: the worker is this process."""
        return None

    def send(self, handle: Inline, frame: Mapping[str, Any]) -> None:
        """Leave a frame for `receive` to run."""
        handle.waiting.append(decode(encode(dict(frame))))

    def receive(self, timeout: float) -> Sequence[Frame | Died]:
        """Run one waiting frame of each worker, or wait for `wake`."""
        busy = [handle for handle in self._workers if handle.waiting]
        for handle in busy:
            self._run(handle)
        if not busy and not self._found:
            self._awake.wait(timeout)
        self._awake.clear()
        found = list(self._found)
        self._found.clear()
        return found

    def _run(self, handle: Inline) -> None:
        try:
            goes_on = handle.worker.handle(handle.waiting.popleft())
        except BdbQuit as error:
            # Whoever leaves the debugger does not want to meet it again in every attempt.
            raise KeyboardInterrupt from error
        if not goes_on:
            self._workers.remove(handle)
            handle.worker.release()
            self._found.append(Died(handle, Cause(code=0)))

    def wake(self) -> None:
        """Make `receive` return."""
        self._awake.set()

    def kill(self, handle: Inline) -> None:
        """Forget the worker; what runs in this thread has ended by now."""
        if handle in self._workers:
            self._workers.remove(handle)
            handle.worker.release()
            self._found.append(Died(handle, Cause(text="was stopped", sent=True)))

    def close(self) -> None:
        """Give the process back as it was."""
        environment, folder, path = self._before
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        for name in _imported_from(set(sys.path) - set(path), path):
            if name not in self._modules:
                del sys.modules[name]
        sys.path[:] = path
        logging.root.handlers[:], level = self._logging
        logging.root.setLevel(level)
        for handle in self._workers:
            handle.worker.release()
        self._workers.clear()


def _imported_from(folders: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return the modules that came from a project, of which the next project may have others of the same names."""
    # A virtual environment may lie within the project: what is imported from there is not the project's own.
    mine, kept = ([f"{one.rstrip(os.sep)}{os.sep}" for one in paths if one] for paths in (folders, others))
    files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
    return [name for name, file in files.items() if file.startswith(tuple(mine)) and not file.startswith(tuple(kept))]


class _Plugin:
    @hookimpl
    def insula_executor(self) -> ExecutorType:
        return ExecutorType("inline", concurrent=False)

    @hookimpl
    def insula_create_executor(self, options: Mapping[str, Any]) -> InlineExecutor:
        return InlineExecutor()


plugin = _Plugin()
