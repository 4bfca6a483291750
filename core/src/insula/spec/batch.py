"""References: which samples a batch holds, without the samples.

A source says where batches are in *blocks*, runs of consecutive batches over one input that are stored as one row, since a
row for each of ten million batches would cost more than the batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from insula.records import frozen


@frozen
class Input:
    """One input as it was listed.

    Args:
        uri: a local path or a URL.
        size: bytes, None if the server does not say.
        stamp: the modification time (nanoseconds) or etag that a later reader compares.
        name: what messages and dead letters call it, when that is not the uri (a spooled list of items).
    """

    uri: str
    size: int | None = None
    stamp: str | None = None
    name: str | None = None


@frozen
class Extent:
    """A range of an input: bytes for line files, whatever unit its source counts in for others."""

    input: int
    start: int
    stop: int


@frozen
class BatchRef:
    """One batch: the position of its first sample in the whole input, how many samples it has, and where they are."""

    ordinal: int
    index: int
    count: int
    extents: tuple[Extent, ...]


@frozen
class Block:
    """Consecutive batches that are stored together.

    Args:
        count: samples of every batch but the last.
        last: samples of the last batch, at most `count`.
        input: the number of the input that holds them all, when one does.
        start: where the first batch begins in it.
        stops: where each batch ends in it, one entry a batch.
        extents: for a single batch that crosses inputs, its extents; `stops` is then empty.
        line: how many lines of the input come before `start`; -1 if the source does not count lines.
    """

    count: int
    last: int
    input: int = -1
    start: int = 0
    stops: Sequence[int] = ()
    extents: tuple[Extent, ...] = ()
    line: int = -1

    @property
    def batches(self) -> int:
        """How many batches the block holds."""
        return 1 if self.extents else len(self.stops)

    @property
    def samples(self) -> int:
        """How many samples the block holds."""
        return self.count * (self.batches - 1) + self.last

    @property
    def end(self) -> tuple[int, int]:
        """The input in which the block ends, and where in it."""
        if self.extents:
            return self.extents[-1].input, self.extents[-1].stop
        return self.input, self.stops[-1]


@frozen
class Slice:
    """A block in its place: the ordinal of its first batch, and the position of that batch's first sample."""

    ordinal: int
    index: int
    block: Block

    @property
    def stop(self) -> int:
        """The ordinal behind the last batch."""
        return self.ordinal + self.block.batches

    def from_batch(self, ordinal: int) -> Slice:
        """Return the slice without the batches before `ordinal`."""
        return self._cut(ordinal - self.ordinal, self.block.batches)

    def first(self, batches: int) -> Slice:
        """Return the slice of at most the first `batches`."""
        return self._cut(0, min(batches, self.block.batches))

    def _cut(self, begin: int, end: int) -> Slice:
        block = self.block
        if (begin, end) == (0, block.batches):
            return self
        cut = attrs.evolve(
            block,
            start=block.stops[begin - 1] if begin else block.start,
            stops=block.stops[begin:end],
            last=block.last if end == block.batches else block.count,
            line=block.line if begin == 0 else -1,
        )
        return Slice(self.ordinal + begin, self.index + begin * block.count, cut)

    def references(self) -> Iterator[BatchRef]:
        """Yield each batch."""
        block = self.block
        if block.extents:
            yield BatchRef(self.ordinal, self.index, block.last, block.extents)
            return
        start, index, final = block.start, self.index, self.stop - 1
        for ordinal, stop in enumerate(block.stops, self.ordinal):
            count = block.count if ordinal < final else block.last
            yield BatchRef(ordinal, index, count, (Extent(block.input, start, stop),))
            start, index = stop, index + count

    def to_plain(self) -> list[Any]:
        """Return it as plain data, for a frame."""
        block = self.block
        extents = [attrs.astuple(extent) for extent in block.extents]
        return [self.ordinal, self.index, block.count, block.last, block.input, block.start, list(block.stops), extents]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> Slice:
        """Return what `to_plain` was given."""
        ordinal, index, count, last, number, start, stops, extents = plain
        block = Block(count, last, number, start, stops, tuple(Extent(*extent) for extent in extents))
        return cls(ordinal, index, block)
