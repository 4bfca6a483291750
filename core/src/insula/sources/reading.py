"""Reading the batches of line files: neighbouring ones in one go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from insula.descriptors import Payload
from insula.records import define
from insula.sources.opening import InputFile, changed, open_input
from insula.sources.parsing import may_hold_long_integers, parse
from insula.spec import BatchRef, Extent, Input

_WINDOW = 8 << 20  # bytes read at once, unless one batch has more
_GAP = 1 << 16  # bytes of blank lines between batches that are read along


def read_lines(inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload]:
    """Yield the payload of each batch, in order.

    Raises:
        InputChangedError: if an input is no longer what was listed.
    """
    window = _Window(inputs, _windows(extent for reference in references for extent in reference.extents))
    try:
        for reference in references:
            extents = reference.extents
            if len(extents) == 1:
                data = window.cut(extents[0])
                payload = parse(data, reference.count, window.long_integers)
            else:
                payload = parse(_join(map(window.cut, extents)), reference.count)
            if len(payload.samples) + len(payload.unreadable) != reference.count:
                raise changed(inputs[extents[0].input], _miscounted(reference, payload))
            yield payload
    finally:
        window.close()


def _windows(extents: Iterable[Extent]) -> Iterator[Extent]:
    """Yield the ranges to read: neighbouring extents together."""
    number, start, stop = -1, 0, 0
    for extent in extents:
        near = extent.input == number and 0 <= extent.start - stop <= _GAP
        if not near or extent.stop - start > _WINDOW:
            if number >= 0:
                yield Extent(number, start, stop)
            number, start = extent.input, extent.start
        stop = extent.stop
    if number >= 0:
        yield Extent(number, start, stop)


def _contains(window: Extent, extent: Extent) -> bool:
    return window.input == extent.input and window.start <= extent.start and extent.stop <= window.stop


def _join(parts: Iterable[bytes]) -> bytes:
    # The last line of a file may lack its newline, and the next file's first line is not its continuation.
    return b"\n".join(parts)


def _miscounted(reference: BatchRef, payload: Payload) -> str:
    first, last = reference.extents[0], reference.extents[-1]
    found = len(payload.samples) + len(payload.unreadable)
    return f"bytes {first.start} to {last.stop} held {reference.count} samples and now hold {found}"


_NOWHERE = Extent(-1, 0, 0)


@define
class _Window:
    """The range that is in memory, and those that will be.

    Args:
        ahead: the ranges still to read; every extent lies in one, in order.
    """

    inputs: Mapping[int, Input]
    ahead: Iterator[Extent]
    extent: Extent = _NOWHERE
    data: bytes = b""
    long_integers: bool = False
    file: InputFile | None = None

    def cut(self, extent: Extent) -> bytes:
        """Return the bytes of an extent."""
        here = self.extent
        if extent.input != here.input or extent.stop > here.stop or extent.start < here.start:
            here = self._advance(extent)
        return self.data[extent.start - here.start : extent.stop - here.start]

    def _advance(self, extent: Extent) -> Extent:
        # An extent may have lain in an earlier window, in the gap between two others: its own is then passed over.
        window = next(it for it in self.ahead if _contains(it, extent))
        if self.file is None or self.extent.input != window.input:
            self.close()
            self.file = open_input(self.inputs[window.input])
        self.data = self.file.read(window.start, window.stop - window.start)
        self.file.check()  # behind the read: what was written before or meanwhile shows
        self.long_integers = may_hold_long_integers(self.data)
        self.extent = window
        return window

    def close(self) -> None:
        """Close the open file, if there is one."""
        if self.file is not None:
            self.file.close()
            self.file = None
