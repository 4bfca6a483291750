"""How a job stands, for whoever watches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from insula.ledger import State
from insula.records import frozen

_WINDOW = 15.0


@frozen
class Progress:
    """How a running job stands.

    Args:
        status: `enqueuing` until the input is split, then `running`.
        batches, samples: in all, None until the input is split.
        settled, failed: batches done, and those of them with dead letters.
        accounted, dead: samples done, and those of them given up on.
        workers: how many are alive.
        rate: samples a second, lately.
        remaining: seconds until the end at this rate, None if unknown.
        longest: seconds that the slowest batch has been in `predict` by now.
        attempts, interruptions: failed calls, and ends of workers that nobody can explain, so far.
        started: when the first coordinator began, seconds since 1970.
        seconds: of running, all coordinators together.
        worker_counts: how many workers are at what, in the words of Cortex's batch APIs.
    """

    status: str
    batches: int | None
    samples: int | None
    settled: int
    failed: int
    accounted: int
    dead: int
    workers: int
    rate: float
    remaining: float | None
    longest: float
    attempts: int = 0
    interruptions: int = 0
    started: float | None = None
    seconds: float = 0.0
    worker_counts: Mapping[str, int] = attrs.field(factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return attrs.asdict(self)


class Speed:
    """Samples a second over the last seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, samples: int) -> float:
        """Learn how many samples are done; return how many came a second."""
        now = self._clock()
        self._seen.append((now, samples))
        while self._seen[0][0] < now - _WINDOW and len(self._seen) > 2:
            self._seen.popleft()
        (before, first), passed = self._seen[0], now - self._seen[0][0]
        return (samples - first) / passed if passed > 0 and before < now else 0.0


def progress(
    state: State, workers: int, rate: float, longest: float, worker_counts: Mapping[str, int] | None = None
) -> Progress:
    """Return how a job stands by its ledger's state."""
    left = state.samples - state.accounted
    return Progress(
        status="running" if state.split_done else "enqueuing",
        batches=state.batches if state.split_done else None,
        samples=state.samples if state.split_done else None,
        settled=state.settled,
        failed=state.failed,
        accounted=state.accounted,
        dead=state.dead,
        workers=workers,
        rate=round(rate, 3),
        remaining=round(left / rate, 1) if rate and state.split_done else None,
        longest=round(longest, 3),
        attempts=state.attempts,
        interruptions=state.interruptions,
        started=state.started,
        seconds=round(state.running, 3),
        worker_counts=worker_counts or {},
    )
