"""Reading the lines of one batch as JSON.

One call of orjson reads a whole batch, with a random string between the lines. Joined by a comma alone, lines that are each
invalid can be valid together (`{"a":[{}` and `{}]},{}`); but no line can contain the string, so an array that has it at every
second place, once a line, has exactly one value of each line between.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, overload

import orjson

from insula.descriptors import Payload, Unreadable

_KEY = os.urandom(8).hex()
_SEPARATOR = b',"%b",' % _KEY.encode()

# orjson reads an integer of more than 64 bits as a float, silently. The shortest has 19 digits, so that among every ninth
# byte of it two neighbours at least are digits.
_STRIDE = 9
_ZEROS = bytes(48 if 48 <= byte < 58 else 32 for byte in range(256))
_LONG = b"0" * 19
_DIGITS = re.compile(rb"\d+")


def may_hold_long_integers(data: bytes) -> bool:
    """Say whether lines may hold an integer of more than 64 bits: a quick look, meant for many lines at once."""
    return b"00" in data[::_STRIDE].translate(_ZEROS)


def parse(data: bytes, count: int, long_integers: bool = True) -> Payload:
    """Read the lines of one batch, blank ones left out.

    Args:
        data: the lines.
        count: how many of them are samples, as far as the caller knows; only speed depends on it.
        long_integers: False if `may_hold_long_integers` said so of data that these lines are in.
    """
    if data[-1:] != b"\n":
        data += b"\n"
    try:
        values = orjson.loads(b"[" + data.replace(b"\n", _SEPARATOR) + b"0]")
    except ValueError:
        return _parse_each(data)
    if len(values) != 2 * count + 1 or values[1::2].count(_KEY) != count:
        return _parse_each(data)
    if long_integers and _holds_long_integers(data):
        return _parse_each(data)
    return Payload(values[:-1:2], None, (), _Lines(data))


def _holds_long_integers(data: bytes) -> bool:
    """Say whether there is an integer of more than 64 bits, or digits in a string that look like one."""
    digits = data.translate(_ZEROS)
    at = digits.find(_LONG)
    while at >= 0:
        end = _end_of_digits(data, at)
        if data[at - 1 : at] != b"." and data[end : end + 1] not in (b".", b"e", b"E") and _is_long(data, at, end):
            return True
        at = digits.find(_LONG, end)
    return False


def _end_of_digits(data: bytes, start: int) -> int:
    match = _DIGITS.match(data, start)
    assert match is not None
    return match.end()


def _is_long(data: bytes, start: int, end: int) -> bool:
    if end - start > 20:
        return True
    limit = 1 << 63 if data[start - 1 : start] == b"-" else (1 << 64) - 1
    return int(data[start:end]) > limit


class _Lines(Sequence[bytes]):
    """The lines of a batch, cut only when somebody asks, as few jobs do."""

    __slots__ = ("_cut", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._cut: list[bytes] | None = None

    def _lines(self) -> list[bytes]:
        if self._cut is None:
            self._cut = [line.strip() for line in self._data.split(b"\n")[:-1]]
        return self._cut

    def __len__(self) -> int:
        return len(self._lines())

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._lines())

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        return self._lines()[index]


# ------------------------------------------------------------------------------------------------ line by line


def _parse_each(data: bytes) -> Payload:
    samples: list[Any] = []
    raw: list[bytes] = []
    positions: list[int] = []
    unreadable: list[Unreadable] = []
    # A byte order mark counts only where a file begins, and there the splitter has passed over it.
    lines = [line.strip() for line in data.split(b"\n")]
    for position, line in enumerate(filter(None, lines)):
        try:
            sample, text = _parse_line(line)
        except _NotReadableError as error:
            unreadable.append(Unreadable(position, line, str(error)))
        else:
            samples.append(sample)
            raw.append(text)
            positions.append(position)
    return Payload(samples, positions if unreadable else None, tuple(unreadable), raw)


class _NotReadableError(ValueError):
    """A line is not JSON."""


def _parse_line(line: bytes) -> tuple[Any, bytes]:
    """Return the value of a line, and a line for it that is JSON for strict readers too."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return _parse_leniently(line)
    return _parse_leniently(line) if _holds_long_integers(line) else (value, line)


def _parse_leniently(line: bytes) -> tuple[Any, bytes]:
    """Read what orjson refuses or rounds: NaN, Infinity, lone surrogates, integers of any size, deep nesting."""
    try:
        value = json.loads(line.decode())
        return value, _strict(line, value)
    except UnicodeDecodeError as error:
        raise _NotReadableError(f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise _NotReadableError(f"not JSON: {error.msg} at position {error.pos + 1}") from error
    except ValueError as error:
        raise _NotReadableError(f"not readable: {error}") from error
    except RecursionError as error:
        raise _NotReadableError("not readable: nested too deeply") from error


def _strict(line: bytes, value: Any) -> bytes:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        finite = json.loads(line, parse_constant=lambda _: None, parse_float=_finite)
        return json.dumps(finite, separators=(",", ":")).encode()
    return line


def _finite(text: str) -> float | None:
    number = float(text)
    return number if isfinite(number) else None
