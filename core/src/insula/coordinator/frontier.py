"""Which batches are still to be leased: lowest first, so that the settled prefix grows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


class Frontier:
    """Ranges of ordinals that nobody works on, and the growing range of batches that were just split.

    Args:
        ranges: (first, stop) of each range left over by an earlier coordinator.
        split: how many batches the earlier split had reached.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = (), split: int = 0) -> None:
        self._ranges = list(ranges)
        heapq.heapify(self._ranges)
        self._next = self._stop = split
        self.waiting = sum(stop - first for first, stop in self._ranges)

    def extend(self, split: int) -> None:
        """Learn how many batches there are by now."""
        self.waiting += split - self._stop
        self._stop = split

    def give_back(self, first: int, stop: int) -> None:
        """Take back batches that were not worked on."""
        if first < stop:
            heapq.heappush(self._ranges, (first, stop))
            self.waiting += stop - first

    def take(self, most: int) -> tuple[int, int] | None:
        """Return at most `most` consecutive batches, as (first, stop); None if there are none."""
        if self._ranges:
            first, end = heapq.heappop(self._ranges)
            stop = min(end, first + most)
            if stop < end:
                heapq.heappush(self._ranges, (stop, end))
        elif self._next < self._stop:
            first, stop = self._next, min(self._stop, self._next + most)
            self._next = stop
        else:
            return None
        self.waiting -= stop - first
        return first, stop

    def remove(self, ordinal: int) -> bool:
        """Take one batch of those left over out of turn; return whether it was there."""
        for position, (first, stop) in enumerate(self._ranges):
            if first <= ordinal < stop:
                del self._ranges[position]
                heapq.heapify(self._ranges)
                self.waiting -= stop - first
                self.give_back(first, ordinal)
                self.give_back(ordinal + 1, stop)
                return True
        return False
