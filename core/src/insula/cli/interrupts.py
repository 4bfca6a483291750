"""Ctrl-C and SIGTERM while a job runs: once lets running batches finish, twice ends at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Handles signals between `__enter__` and `__exit__`, where it is the main thread's to do so.

    Until `expect`, a signal raises KeyboardInterrupt: there is no job yet to be stopped in an orderly way.
    """

    def __init__(self) -> None:
        self.count = 0
        self._message = ""
        self._stop: Callable[[], None] | None = None
        self._abort: Callable[[], None] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # Who started this process with a signal ignored (`nohup`, `&` in a script) wants that to stay.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def expect(self, message: str) -> None:
        """Let the first signal from now on stop the job, saying `message`."""
        self._message = message

    def connect(self, stop: Callable[[], None], abort: Callable[[], None] | None = None) -> None:
        """Have `stop` called at the first signal, or now if it has come, and `abort` at the second."""
        self._stop, self._abort = stop, abort
        if self.count:
            stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._message:
            raise KeyboardInterrupt
        self.count += 1
        if self.count > 1:
            if self._abort is not None:
                self._abort()  # where a predictor in this process swallows the exception, this still ends the job
            raise KeyboardInterrupt
        # Not through sys.stderr: this may have come in the middle of a write to it.
        try:
            os.write(2, f"{_clear_line()}{self._message}\n".encode())
        except OSError:
            self._message += " (could not be shown)"
        if self._stop is not None:
            self._stop()


def _clear_line() -> str:
    # Over the progress bar, which is drawn anew below.
    return "\r\x1b[2K" if os.isatty(2) else ""
