"""How large a lease is: 50 to 100 ms of work, by what a batch was measured to take."""

from __future__ import annotations

# Less, and messages, syncs and commits cost more than they should; more, and little is known of a job that dies.
_SECONDS = 0.075
# The first batches are no measure of the later ones: caches are cold, and a clock is coarse.
_GROWTH = 64
# At the end of a job fair shares become tiny; below this, the sync that each lease costs is longer than its work.
_LEAST = 0.004


class Pace:
    """Learns the time of a batch from reports, and sizes leases by it."""

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._most = 1

    def learn(self, batches: int, seconds: float) -> None:
        """Learn that a worker took `seconds` for so many batches."""
        if batches:
            each = max(seconds / batches, 1e-6)
            self._seconds = each if self._seconds is None else (self._seconds + each) / 2
            self._most = min(self._most * _GROWTH, 1 << 20)

    def lease(self, waiting: int, workers: int) -> int:
        """Return how many of the `waiting` batches to lease to one of so many workers."""
        if self._seconds is None:
            return 1
        fair = max(waiting // (2 * workers), int(_LEAST / self._seconds))
        return max(1, min(int(_SECONDS / self._seconds), fair, self._most))

    @property
    def seconds(self) -> float | None:
        """Seconds of one batch in one worker, lately; None if nothing was measured."""
        return self._seconds
