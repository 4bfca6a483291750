"""As much of the wire format of protocol buffers as it takes to look into a model without loading it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Data(Protocol):
    """Bytes, or a file mapped into memory."""

    def __getitem__(self, at: int, /) -> int:
        """Return one byte."""

    def __len__(self) -> int:
        """Return how many there are."""


class MalformedError(ValueError):
    """These bytes are no message."""


class CutOffError(MalformedError):
    """A field ends behind the data.

    Args:
        end: the least length that the data should have.
    """

    def __init__(self, end: int) -> None:
        self.end = end
        super().__init__(f"a field ends at byte {end}")


def fields(data: Data, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield each field of the message between two offsets: its number, and two offsets or a value twice.

    Of strings, bytes and messages the offsets are where they start and stop. Of varints the value is given; of fixed
    numbers, which no caller needs, the offsets too.

    Raises:
        CutOffError: if a field ends behind `stop`.
        MalformedError: if there is something else than a field.
    """
    at = start
    while at < stop:
        key, at = _varint(data, at, stop)
        number, wire = key >> 3, key & 7
        if not number or wire not in (_VARINT, _FIXED64, _BYTES, _FIXED32):
            raise MalformedError(f"no field at byte {at}")
        if wire == _VARINT:
            value, at = _varint(data, at, stop)
            yield number, value, value
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if length is None:
            length, at = _varint(data, at, stop)
        if at + length > stop:
            raise CutOffError(at + length)
        yield number, at, at + length
        at += length


def _varint(data: Data, at: int, stop: int) -> tuple[int, int]:
    """Return a number, and the offset behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= stop:
            raise CutOffError(at + 1)
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise MalformedError(f"a number of more than ten bytes ends at byte {at}")
