"""Files of JSON lines, read as the source reads them, and as slowly as one can."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insula.descriptors import Unreadable
from insula.errors import SourceError
from insula.sources.lines import split_lines
from insula.sources.opening import stamp_of
from insula.sources.reading import read_lines
from insula.spec import Input, Slice

pytestmark = pytest.mark.timeout(1200)
fuzz = settings.get_profile("fuzz")

PIECES = (
    *(b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b" ", b"\t", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\x0b"),
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"1", b"-", b".", b"e9", b"null", b"true", b"NaN", b"Infinity", b"-0"),
    *(b'{"a":[{}', b'{}]},{}', b'{"a": 1}', b'"\\ud800"', b'"x"', b"9" * 19, b"18446744073709551616", b"1e999", b"0" * 30),
    *(b"[" * 2000, b"]" * 2000, b'{"a":' * 30, b"9" * 5000),
)  # fmt: skip
files = st.lists(st.sampled_from(PIECES) | st.binary(max_size=5), max_size=25).map(b"".join)


def slowly(data: bytes) -> list[Any]:
    """Read each line by itself with the standard library; Unreadable where that cannot."""
    return [_value(line) for line in map(bytes.strip, data.removeprefix(b"\xef\xbb\xbf").split(b"\n")) if line]


def _value(line: bytes) -> Any:
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return Unreadable


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does, NaN being itself."""
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return type(one) is type(other) and bool(one == other)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


@fuzz
@given(contents=st.lists(files, min_size=1, max_size=2), batch_size=st.integers(1, 4))
def test_lines(folder: Path, contents: list[bytes], batch_size: int) -> None:
    inputs = {number: _written(folder / f"{number}.jsonl", data) for number, data in enumerate(contents)}
    try:
        blocks = list(split_lines(list(inputs.values()), batch_size))
    except SourceError as error:
        # What begins like a compressed file, or with twenty lines of which none can be read.
        message = str(error)
    else:
        message = ""
    if message:
        assert "rename it" in message or any(Unreadable in slowly(data) for data in contents)
        return
    found: list[Any] = []
    ordinal = index = 0
    for block in blocks:
        references = list(Slice(ordinal, index, block).references())
        for reference, payload in zip(references, read_lines(inputs, references), strict=True):
            assert len(payload.samples) + len(payload.unreadable) == reference.count
            found += _in_order(payload)
        ordinal, index = ordinal + block.batches, index + block.samples
    wanted = [value for data in contents for value in slowly(data)]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert same(one, other), (one, other)


def _in_order(payload: Any) -> list[Any]:
    values: dict[int, Any] = {bad.position: Unreadable for bad in payload.unreadable}
    positions = range(len(payload.samples)) if payload.positions is None else payload.positions
    values.update(zip(positions, payload.samples, strict=True))
    assert all(len(bad.error) < 300 for bad in payload.unreadable)
    return [values[position] for position in range(len(values))]


def _written(path: Path, data: bytes) -> Input:
    path.write_bytes(data)
    status = path.stat()
    return Input(str(path), status.st_size, stamp_of(status))
