"""The source `count_up`: whole numbers, of which nothing is stored anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from insula import hookimpl
from insula.descriptors import Payload, Place, Position, Source, SplitContext
from insula.spec import BatchRef, Block, Input, Slice


@attrs.frozen
class Settings:
    """How far to count."""

    stop: int
    batch_size: int = 10


class CountUp:
    """Counts from 0."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("count_up", Settings)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """Have one input, the numbers."""
        return [Input("count:up", name="the numbers")]

    @hookimpl
    def insula_split(self, context: SplitContext, inputs: Sequence[Input], after: Position | None) -> Iterator[Block]:
        """Yield one block a batch; its extent is the range of its numbers."""
        size, stop = context.settings.batch_size, context.settings.stop
        for start in range(after.offset if after else 0, stop, size):
            end = min(start + size, stop)
            yield Block(size, end - start, 0, start, [end])

    @hookimpl
    def insula_read(self, inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload]:
        """Yield the numbers of each batch."""
        for reference in references:
            (extent,) = reference.extents
            yield Payload(list(range(extent.start, extent.stop)))

    @hookimpl
    def insula_locate(self, block: Slice, positions: Sequence[int]) -> Sequence[Place]:
        """Say that line n is number n - 1."""
        return [Place("the numbers", block.index + position + 1) for position in positions]


plugin = CountUp()
