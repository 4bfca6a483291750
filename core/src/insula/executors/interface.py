"""What the coordinator asks of an executor: start, send, receive, kill. Plain bytes go both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from insula.records import frozen

Handle = Any


@frozen
class Start:
    """What a worker is started with.

    Args:
        name: the worker's; no other of the job has it.
        environment: all of its environment variables, set before its interpreter starts.
        folder: its working directory.
        log: the file for its stdout and stderr, appended to.
    """

    name: str
    environment: Mapping[str, str]
    folder: Path
    log: Path


@frozen
class Cause:
    """How a worker ended: by an exit code or by a signal, or as an engine has it in words.

    `sent` says that the executor killed it because it was asked to.
    """

    code: int | None = None
    signal: int | None = None
    text: str = ""
    sent: bool = False

    def __str__(self) -> str:
        import signal

        if self.text:
            return self.text
        if self.signal is not None:
            # Signals for real time have no names of their own.
            names = {one.value: one.name for one in signal.Signals}
            return f"was killed by {names.get(self.signal, f'signal {self.signal}')}"
        return f"ended with exit code {self.code}"


@frozen
class Frame:
    """Bytes that a worker sent: one whole frame."""

    handle: Handle
    frame: Mapping[str, Any]


@frozen
class Died:
    """A worker is gone.

    `certain` is False where it may still be alive somewhere (an engine that lost sight of a machine).
    """

    handle: Handle
    cause: Cause
    certain: bool = True


class Executor(Protocol):
    """Starts workers and carries messages. All methods are called from one thread, but for `wake`."""

    def start(self, start: Start) -> Handle:
        """Start a worker; return what stands for it."""

    def identity(self, handle: Handle) -> tuple[int, str] | None:
        """Return the worker's process id and start, by which a later coordinator finds it; None if it has none here."""

    def send(self, handle: Handle, frame: Mapping[str, Any]) -> None:
        """Send a frame, without waiting for the worker to take it. To a worker that is gone it is lost."""

    def receive(self, timeout: float) -> Sequence[Frame | Died]:
        """Return what has come in, waiting at most `timeout` seconds; a worker's frames come before its death."""

    def wake(self) -> None:
        """Make `receive` return; called from any thread."""

    def kill(self, handle: Handle) -> None:
        """End a worker and whatever it started, without asking."""

    def close(self) -> None:
        """End every worker and free what the executor holds."""
