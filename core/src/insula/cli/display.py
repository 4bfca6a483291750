"""What is shown while a job runs: nothing, lines, or a bar."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from insula.cli.narration import Narration
from insula.cli.output import say
from insula.cli.wording import duration, phase, standing
from insula.coordinator.status import Progress

_LINE_EVERY = 10.0


class Display:
    """Shows nothing; what others show is built on it."""

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def progress(self, stands: Progress) -> None:
        """Learn how the job stands, about ten times a second."""

    def event(self, event: dict[str, Any]) -> None:
        """Learn what happened."""


class Lines(Display):
    """Plain lines on standard error, at most one in ten seconds but for what happens."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._said = clock()
        self._narration = Narration(say, clock)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Tell what is not told yet."""
        self._narration.catch_up()

    def progress(self, stands: Progress) -> None:
        """Say how the job stands, if it is time."""
        now = self._clock()
        if now - self._said >= _LINE_EVERY:
            self._said = now
            self._narration.catch_up()
            words = [word for _, word in standing(stands, stands.longest)]
            say(f"{duration(now - self._began)} {phase(stands)}: {', '.join(words)}")

    def event(self, event: dict[str, Any]) -> None:
        """Say what happened."""
        self._narration.event(event)


def choose(*, quiet: bool, json: bool, environment: Mapping[str, str] = os.environ) -> Display:
    """Return what fits the options and standard error: a bar where there is a terminal that can draw one."""
    if quiet:
        return Display()
    if json or not sys.stderr.isatty() or environment.get("TERM", "dumb") in ("dumb", "unknown"):
        return Lines()
    from insula.cli.bar import Bar

    return Bar()
