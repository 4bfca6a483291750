"""The progress bar on a terminal: one line, drawn by a thread of its own, so that it moves inside a slow batch too."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, cast

from insula.cli.display import Display
from insula.cli.narration import Narration
from insula.cli.wording import SLOW, phase, standing
from insula.coordinator.status import Progress
from insula.records import frozen

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_FRAMES_A_SECOND = 5
_WIDEST_BAR = 40


@frozen
class Seen:
    """How a job stood at some time, and whether a worker was ready then."""

    stands: Progress
    at: float
    ready: bool


class _Forgiving:
    """A stream that nobody may be reading any more: a job outlives its terminal."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Bar(Display):
    """A bar on standard error, gone when the job ends; what happens is printed above it.

    Args:
        console: draws on standard error if None.
        clock: in seconds.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.live import Live

        file = cast("IO[str]", _Forgiving(sys.stderr))
        self._console = console or Console(file=file, highlight=False, markup=False, emoji=False)
        self._clock = clock
        self._seen: Seen | None = None
        self._ready = False
        self._narration = Narration(self._print, clock)
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_FRAMES_A_SECOND,
            transient=True,
            # What predictors print in this process appears above the bar, but where it goes to a file, it stays there.
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> Bar:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._narration.catch_up()
        self._live.stop()

    def progress(self, stands: Progress) -> None:
        """Learn how the job stands."""
        self._seen = Seen(stands, self._clock(), self._ready)

    def event(self, event: dict[str, Any]) -> None:
        """Print what happened."""
        self._ready = self._ready or event["event"] == "worker_ready"
        self._narration.event(event)

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    # ------------------------------------------------------------------------------------------ drawing

    def _draw(self) -> RenderableType:
        if self._seen is None:
            return "starting"
        return draw(self._seen, self._clock(), self._console.width)


def slowest(seen: Seen, now: float) -> float:
    """Return how long the slowest batch has been running by now.

    A coordinator that is silent runs a batch itself (the executor `inline`), if its worker is ready.
    """
    silent = now - seen.at
    running = seen.stands.longest > 0 or (seen.ready and silent > SLOW)
    return seen.stands.longest + silent if running and phase(seen.stands) != "finishing" else 0.0


def draw(seen: Seen, now: float, width: int) -> RenderableType:
    """Return one line of at most `width` columns: the phase, a bar, and as many words as there is room for."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    stands = seen.stands
    begin = phase(stands) if stands.samples is None else f"{phase(stands)} {share(stands):4.0%}"
    # As wide as the terminal allows, not as the words do, so that it stands still.
    length = min(_WIDEST_BAR, width // 6)
    words = fitting(list(standing(stands, slowest(seen, now))), width - len(begin) - length - 2)
    bar = ProgressBar(total=stands.samples, completed=stands.accounted, width=length, animation_time=now)
    grid = Table.grid(padding=(0, 1))
    for _ in range(3):
        grid.add_column(no_wrap=True)
    grid.add_row(begin, bar, words)
    return grid


def share(stands: Progress) -> float:
    """Return the share of samples that are done; only all of them are 100 %."""
    if not stands.samples:
        return 0.0
    done = stands.accounted / stands.samples
    return done if done >= 1 else min(done, 0.99)


def fitting(ranked: list[tuple[int, str]], room: int) -> str:
    """Join the words that fit into `room` columns; those of the highest rank go first."""
    left = list(ranked)
    while len(left) > 1 and len(", ".join(word for _, word in left)) > room:
        left.remove(max(left))
    return ", ".join(word for _, word in left)
