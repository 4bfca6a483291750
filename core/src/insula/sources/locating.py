"""Where samples stand, as a person counts: which file, which line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from insula.descriptors import Place
from insula.records import define
from insula.sources.opening import open_input
from insula.spec import Extent, Input, Slice

_CHUNK = 1 << 20


@define
class Locator:
    """Finds lines; asked in input order, it passes over no byte twice.

    Args:
        input, offset, lines: how far it counted: so many lines of that input lie before the offset.
    """

    input: Input | None = None
    offset: int = 0
    lines: int = 0

    def locate(self, inputs: Mapping[int, Input], block: Slice, ordinal: int, positions: Sequence[int]) -> list[Place]:
        """Return the places of samples of one batch, by their positions in it.

        Raises:
            InputChangedError: if an input is no longer what was listed.
        """
        if block.block.line >= 0:
            begin = block.block.extents[0].start if block.block.extents else block.block.start
            number = block.block.extents[0].input if block.block.extents else block.block.input
            self._go_to(inputs[number], begin, block.block.line)
        reference = next(block.from_batch(ordinal).references())
        places = list(self._places(inputs, reference.extents))
        return [places[position] for position in positions]

    def _go_to(self, source: Input, offset: int, lines: int) -> None:
        if self.input != source or self.offset < offset:
            self.input, self.offset, self.lines = source, offset, lines

    def _places(self, inputs: Mapping[int, Input], extents: Sequence[Extent]) -> Iterator[Place]:
        for extent in extents:
            source = inputs[extent.input]
            with open_input(source) as file:
                self._count_to(source, extent.start, file.read)
                data = file.read(extent.start, extent.stop - extent.start)
            # What insula wrote itself has no lines that a person counts; a copy has those of what it was made of.
            spooled = source.name is not None and source.uri.startswith("/")
            for number, line in enumerate(data.split(b"\n"), self.lines + 1):
                if line and not line.isspace():
                    yield Place(source.name or source.uri, None if spooled else number)

    def _count_to(self, source: Input, start: int, read: Callable[[int, int], bytes]) -> None:
        if self.input != source or self.offset > start:
            self.input, self.offset, self.lines = source, 0, 0
        while self.offset < start:
            data = read(self.offset, min(_CHUNK, start - self.offset))
            self.lines += data.count(b"\n")
            self.offset += len(data)
