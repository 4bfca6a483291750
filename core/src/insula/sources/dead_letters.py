"""The plugin `dead_letters`: what another job gave up on, tried again; predictions keep the index they had there.

`insula retry` writes two files into the new job's folder: the samples, as lines, and the index of each. A batch holds samples
that follow each other in the other job's input, so one index tells that of all.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from insula.descriptors import Payload, Place, Position, Source, SplitContext
from insula.errors import SourceError
from insula.hookspecs import hookimpl
from insula.records import frozen
from insula.sources.opening import stamp_of
from insula.sources.reading import read_lines
from insula.sources.spooling import write_whole
from insula.spec import BatchRef, Block, Input, Slice

_LINES = "dead_letters.jsonl"
_INDEX = "dead_letters.index"
_BLOCK = 4096
_ITEM = array("Q").itemsize


def _at_least_one(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name} must be at least 1, not {value}")


@frozen
class DeadLetters:
    """`dead_letters`: the samples that a job gave up on; made by `insula retry`."""

    job: str
    batch_size: int = attrs.field(default=32, validator=_at_least_one)


def spool_dead_letters(letters: Iterable[tuple[int, bytes]], folder: Path) -> int:
    """Write dead letters, each with its index, where the source looks for them; return how many there were.

    Args:
        letters: in order of their index; each a line without its newline.
        folder: the new job's folder for inputs.
    """
    indexes = array("Q")

    def lines() -> Iterator[bytes]:
        for index, line in letters:
            indexes.append(index)
            yield line + b"\n"

    write_whole(folder / _LINES, lines())
    write_whole(folder / _INDEX, [indexes.tobytes()])
    return len(indexes)


class DeadLettersSource:
    """The dead letters of another job."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("dead_letters", DeadLetters)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """Find what was spooled."""
        path, job = context.spool / _LINES, context.settings.job
        if not _index_of(path).exists():
            raise SourceError(f"dead_letters are not a job's own input: use `insula retry {job}`")
        status = path.stat()
        return [Input(str(path), status.st_size, stamp_of(status), f"dead letters of job {job}")]

    @hookimpl
    def insula_split(self, context: SplitContext, inputs: Sequence[Input], after: Position | None) -> Iterator[Block]:
        """Yield batches of samples that follow each other in the other job's input."""
        samples, offset = (after.samples, after.offset) if after else (0, 0)
        sizes = _batches(Path(inputs[0].uri), samples, offset, context.settings.batch_size)
        return _blocks(sizes, offset)

    @hookimpl
    def insula_read(self, inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload]:
        """Yield payloads with the index that their first sample had."""
        with _index_of(Path(inputs[0].uri)).open("rb") as indexes:
            for reference, payload in zip(references, read_lines(inputs, references), strict=True):
                yield attrs.evolve(payload, index=_read_index(indexes.fileno(), reference.index))

    @hookimpl
    def insula_locate(
        self, inputs: Mapping[int, Input], block: Slice, ordinal: int, positions: Sequence[int]
    ) -> Sequence[Place]:
        """Say that they are dead letters: where they stood at first, those say themselves."""
        return [Place(inputs[0].name, None)] * len(positions)


def _index_of(lines: Path) -> Path:
    return lines.with_name(_INDEX)


def _read_index(descriptor: int, number: int) -> int:
    (index,) = array("Q", os.pread(descriptor, _ITEM, number * _ITEM))
    return index


def _batches(path: Path, number: int, offset: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield of each batch how many samples it has, and where it ends."""
    count, expected = 0, -1
    with path.open("rb") as lines, _index_of(path).open("rb") as indexes:
        lines.seek(offset)
        for line in lines:
            index = _read_index(indexes.fileno(), number)
            if count and (count == size or index != expected):
                yield count, offset
                count = 0
            number, count, offset, expected = number + 1, count + 1, offset + len(line), index + 1
    if count:
        yield count, offset


def _blocks(batches: Iterable[tuple[int, int]], start: int) -> Iterator[Block]:
    """Group batches: all of a block are as large as its first, but the last, which may be smaller."""
    count, last, stops = 0, 0, array("Q")
    for samples, stop in batches:
        if stops and (last < count or samples > count or len(stops) == _BLOCK):
            yield Block(count, last, 0, start, stops)
            start, stops = stops[-1], array("Q")
        count, last = count if stops else samples, samples
        stops.append(stop)
    if stops:
        yield Block(count, last, 0, start, stops)


plugin = DeadLettersSource()
