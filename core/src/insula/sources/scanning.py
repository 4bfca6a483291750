"""Finding where lines end, a chunk of a file at a time.

This runs beside the workers, on their cores, over every byte of the input. So it works on chunks that stay in the processor's
cache, and looks at single lines only in a chunk that holds a blank one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from insula.records import frozen
from insula.sources.opening import InputFile

HEAD = 20
_CHUNK = 1 << 18
# Many lines to a batch are measured faster by joining them again; few, by adding up all lengths.
_JOIN_FROM = 6


@frozen
class Chunk:
    """Some whole lines.

    Args:
        samples: how many of them are not blank.
        stops: where those samples end with which a batch ends.
        stop_lines: how many lines of the chunk lie before each of `stops`.
        last: where the last sample ends.
        lines: how many lines there are, blank ones included.
        end: where they end.
        head: the first of those that are not blank.
    """

    samples: int
    stops: list[int]
    stop_lines: Sequence[int]
    last: int
    lines: int
    end: int
    head: Sequence[bytes] = ()


def scan(file: InputFile, offset: int, first: int, step: int) -> Chunk:
    """Scan the lines from `offset` on: one chunk of them, at least one line.

    Args:
        offset: where a line begins.
        first: with which sample a batch ends, counted from 1.
        step: how many samples later the next one ends, and so on.
    """
    data = file.read(offset, min(_CHUNK, file.size - offset))
    lines, rest = _split(data)
    end = offset + len(data) - len(rest)
    if rest and offset + len(data) == file.size:
        lines.append(rest)
        end = file.size
    if not lines:
        return _long_line(file, offset, first)
    # A line that is blank is empty, or begins with what sorts before all that JSON can begin with.
    if min(lines) < b"!" and not all(line and not line.isspace() for line in lines):
        return _with_blanks(lines, offset, end, first, step)
    count = len(lines)
    stops = _stops(lines, offset, end, first, step)
    return Chunk(count, stops, range(first, count + 1, step), end, count, end, lines[:HEAD])


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole lines, without their newlines, and what follows the last newline."""
    if b"\r" in data:
        lines = data.split(b"\n")
        return lines, lines.pop()
    # The same, in two thirds of the time.
    lines = data.splitlines()
    return lines, b"" if data.endswith(b"\n") else lines.pop() if lines else b""


def _stops(lines: list[bytes], offset: int, end: int, first: int, step: int) -> list[int]:
    if step < _JOIN_FROM:
        return _ends(lines, offset, end)[first - 1 :: step]
    stops = []
    join = b"\n".join
    at, done = offset, 0
    for upto in range(first, len(lines) + 1, step):
        at += len(join(lines[done:upto])) + 1
        stops.append(at)
        done = upto
    if stops and done == len(lines):
        stops[-1] = end  # the last line of a file may lack its newline
    return stops


def _ends(lines: list[bytes], offset: int, end: int) -> list[int]:
    """Return where each line ends, its newline included."""
    ends = [at + newlines for newlines, at in enumerate(accumulate(map(len, lines)), offset + 1)]
    ends[-1] = end
    return ends


def _with_blanks(lines: list[bytes], offset: int, end: int, first: int, step: int) -> Chunk:
    ends = _ends(lines, offset, end)
    samples = [number for number, line in enumerate(lines) if line and not line.isspace()]
    final = samples[first - 1 :: step]
    last = ends[samples[-1]] if samples else offset
    head = [lines[at] for at in samples[:HEAD]]
    return Chunk(len(samples), [ends[at] for at in final], [at + 1 for at in final], last, len(lines), end, head)


def _long_line(file: InputFile, offset: int, first: int) -> Chunk:
    """Pass over one line that is longer than a chunk, without holding it."""
    blank = True
    newline = -1
    while newline < 0 and offset < file.size:
        data = file.read(offset, min(_CHUNK, file.size - offset))
        newline = data.find(b"\n")
        part = data if newline < 0 else data[: newline + 1]
        blank = blank and part.isspace()
        offset += len(part)
    if blank:
        return Chunk(0, [], [], offset, 1, offset)
    stops = [offset] if first == 1 else []
    return Chunk(1, stops, [1] * len(stops), offset, 1, offset)
