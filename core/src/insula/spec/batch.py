"""References: which samples a batch holds, without the samples.

A source says where batches are in *blocks*, runs of consecutive batches over one input that are stored as one row, since a
row for each of ten million batches would cost more than the batches.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
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


@attrs.frozen
class Extent:
    """A range of an input: bytes for line files, whatever unit its source counts in for others."""

    input: int
    start: int
    stop: int


@attrs.frozen
class BatchRef:
    """One batch: the position of its first sample in the whole input, how many samples it has, and where they are."""

    ordinal: int
    index: int
    count: int
    extents: tuple[Extent, ...]


@attrs.frozen
class Block:
    """Consecutive batches that are stored together.

    Args:
        count: samples of every batch but the last.
        last: samples of the last batch, at most `count`.
        input: the number of the input that holds them all, when one does.
        start: where the first batch begins in it.
        stops: where each batch ends in it, one entry a batch.
        extents: for a single batch that crosses inputs, its extents; `stops` is then empty.
    """

    count: int
    last: int
    input: int = -1
    start: int = 0
    stops: Sequence[int] = ()
    extents: tuple[Extent, ...] = ()

    @property
    def batches(self) -> int:
        """How many batches the block holds."""
        return 1 if self.extents else len(self.stops)

    @property
    def samples(self) -> int:
        """How many samples the block holds."""
        return self.count * (self.batches - 1) + self.last
