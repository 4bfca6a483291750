"""Splitting files of lines into batches."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import attrs

from insula.descriptors import Position
from insula.errors import SourceError
from insula.records import define
from insula.sources.compression import HEAD, SUFFIXES, kind_of_content
from insula.sources.copying import make_copy
from insula.sources.opening import InputFile, is_spooled, name_of, open_input
from insula.sources.parsing import parse
from insula.sources.scanning import HEAD as HEAD_LINES
from insula.sources.scanning import Chunk, scan
from insula.spec import Block, Extent, Input

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20
_BATCHES = 1 << 13  # tiny lines: a megabyte of them would be a hundred thousand batches in memory at once
_UNCOUNTED = -(1 << 62)  # behind a resume nobody has counted the lines: any sum with this stays negative


def split_lines(inputs: Sequence[Input], batch_size: int, after: Position | None = None) -> Iterator[Block]:
    """Yield the batches of line files: `batch_size` consecutive lines each, whichever files they are in.

    Lines end with LF or CRLF, the last one need not; blank lines are no samples; a byte order mark is passed over.

    Args:
        after: where the last batch ended that is known already; None starts at the beginning.

    Raises:
        InputChangedError: if an input is no longer what was listed.
    """
    splitter = _Splitter(batch_size)
    first, offset = (after.input, after.offset) if after else (0, 0)
    for number in range(first, len(inputs)):
        if is_spooled(inputs[number]):
            make_copy(inputs[number])
        with open_input(inputs[number], whole=True) as file:
            begin = offset or _beginning(file, inputs[number])
            yield from splitter.split(file, number, begin, resumed=offset > 0, name=name_of(inputs[number]))
            file.check()
        offset = 0
    yield from splitter.rest()


@define
class _Run:
    """Whole batches of one input that are not yet in a block.

    Args:
        start: where the first one begins, or will.
        line: how many lines of the input lie before `start`.
        stops: where each ends.
        stop_line: how many lines lie before the last of `stops`.
        last: where the last sample ends that was seen.
    """

    input: int
    start: int
    line: int
    stops: list[int] = attrs.field(factory=list)
    stop_line: int = 0
    last: int = 0

    def add(self, chunk: Chunk, lines: int) -> None:
        """Add the batches that end in a chunk, before which there are `lines`."""
        if chunk.samples:
            self.last = chunk.last
        if chunk.stops:
            self.stops += chunk.stops
            self.stop_line = lines + chunk.stop_lines[-1]

    def cut(self, size: int) -> Block:
        """Return the batches as a block and begin the next."""
        block = Block(size, size, self.input, self.start, array("Q", self.stops), line=max(-1, self.line))
        self.start, self.line, self.stops = self.stops[-1], self.stop_line, []
        return block


@define
class _Splitter:
    """The batch that is being filled.

    Args:
        size: samples of a batch.
        filled: samples of the open one.
        extents: where those of its samples are that lie in earlier inputs.
        line: how many lines lie before the first of these extents.
    """

    size: int
    filled: int = 0
    extents: tuple[Extent, ...] = ()
    line: int = -1
    begun: bool = False

    def split(self, file: InputFile, number: int, at: int, *, resumed: bool, name: str) -> Iterator[Block]:
        """Yield the batches that end in one input, from `at` on."""
        lines = _UNCOUNTED if resumed else 0
        run = _Run(number, at, lines)
        while at < file.size:
            chunk = scan(file, at, self.size - self.filled, self.size)
            if not (resumed or lines):
                _check_head(name, chunk.head)
            self.filled = (self.filled + chunk.samples) % self.size
            run.add(chunk, lines)
            if chunk.stops and self.extents:
                yield self._crossing(run, lines + chunk.stop_lines[0])
            if run.stops and self._enough(run):
                yield run.cut(self.size)
            at = chunk.end
            lines += chunk.lines
        if run.stops:
            yield run.cut(self.size)
        if self.filled:
            self._keep(run)

    def rest(self) -> Iterator[Block]:
        """Yield the last batch, if it has samples but is not full."""
        if len(self.extents) == 1:
            (only,) = self.extents
            stops = array("Q", [only.stop])
            yield Block(self.size, self.filled, only.input, only.start, stops, line=self.line)
        elif self.extents:
            yield Block(self.size, self.filled, extents=self.extents, line=self.line)

    def _crossing(self, run: _Run, line: int) -> Block:
        start, run.start, run.line = run.start, run.stops.pop(0), line
        extents = (*self.extents, Extent(run.input, start, run.start))
        self.extents = ()
        return Block(self.size, self.size, extents=extents, line=self.line)

    def _enough(self, run: _Run) -> bool:
        # The first block comes as soon as it can, so that workers have something to do.
        first, self.begun = not self.begun, True
        return first or run.stops[-1] - run.start >= _BLOCK or len(run.stops) >= _BATCHES

    def _keep(self, run: _Run) -> None:
        if run.last > run.start:
            if not self.extents:
                self.line = max(-1, run.line)
            self.extents += (Extent(run.input, run.start, run.last),)


def _beginning(file: InputFile, source: Input) -> int:
    """Return where the first line of a file begins, which must not be a compressed one."""
    head = file.read(0, min(HEAD, file.size))
    if kind := kind_of_content(head):
        suffix = next(suffix for suffix, one in SUFFIXES.items() if one == kind)
        raise SourceError(
            f"{name_of(source)} is {kind} data, which its name does not say: rename it to end in {suffix}"
        )
    return len(_BOM) if head.startswith(_BOM) else 0


def _check_head(name: str, head: Sequence[bytes]) -> None:
    """Refuse a file that does not even begin as JSON lines: a CSV, say, or one JSON array over many lines."""
    if len(head) < HEAD_LINES:
        return
    payload = parse(b"\n".join(head), len(head))
    if not payload.samples:
        raise SourceError(
            f"{name} is not a file of JSON lines: of its first {HEAD_LINES} lines none is JSON "
            f"(the first: {payload.unreadable[0].error}). Each line must be one JSON value."
        )
