"""zstd, whose own streams end without a word where a file is cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import SourceError
from insula.sources.compression import unpack


def unpacked(data: bytes, size: int = 7) -> bytes:
    def pieces() -> Iterator[bytes]:
        yield from (data[at : at + size] for at in range(0, len(data), size))

    return b"".join(unpack(pieces(), "zstd", "the file"))


@given(contents=st.lists(st.binary(max_size=200), min_size=1, max_size=3), size=st.integers(1, 300))
def test_frames_in_one_file_are_one_after_the_other(contents: list[bytes], size: int) -> None:
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    assert unpacked(skippable + b"".join(map(zstandard.compress, contents)), size) == b"".join(contents)


def test_a_file_that_is_cut_anywhere_is_told() -> None:
    packed = zstandard.compress(b'{"n": 1}\n' * 50)
    for length in range(4, len(packed)):
        with pytest.raises(SourceError, match="^the file is (cut: it ends in the middle of its zstd data|damaged)"):
            unpacked(packed[:length])


def test_damage_is_told() -> None:
    packed = zstandard.ZstdCompressor(write_checksum=True).compress(bytes(range(256)) * 50)
    with pytest.raises(SourceError, match="^the file is damaged: its zstd data cannot be unpacked"):
        unpacked(packed[:-1] + bytes([packed[-1] ^ 0xFF]))
    with pytest.raises(SourceError, match="^the file is damaged"):
        unpacked(packed + b"garbage")
