"""Unpacking, against the libraries' own packing."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import SourceError
from insula.sources.compression import kind_of_content, kind_of_name, unpack

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def unpacked(data: bytes, kind: str, size: int = 7) -> bytes:
    return b"".join(unpack(pieces(data, size), kind, "the file"))


@pytest.mark.parametrize("kind", PACK)
@given(contents=st.lists(st.binary(max_size=200), min_size=1, max_size=3), size=st.integers(1, 300))
def test_streams_in_one_file_are_one_after_the_other(kind: str, contents: list[bytes], size: int) -> None:
    packed = b"".join(map(PACK[kind], contents))
    assert unpacked(packed, kind, size) == b"".join(contents)
    assert kind_of_content(packed[:10]) == kind


@pytest.mark.parametrize("kind", PACK)
def test_a_file_that_is_cut_anywhere_is_told(kind: str) -> None:
    packed = PACK[kind](b'{"n": 1}\n' * 50)
    for length in range(8, len(packed)):
        with pytest.raises(SourceError, match=f"^the file is (cut: it ends in the middle of its {kind} data|damaged)"):
            unpacked(packed[:length], kind)


@pytest.mark.parametrize("kind", PACK)
def test_damage_is_told(kind: str) -> None:
    packed = bytearray(PACK[kind](bytes(range(256)) * 50))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(SourceError, match=f"^the file is damaged: its {kind} data cannot be unpacked"):
        unpacked(bytes(packed), kind)


def test_what_is_not_packed_passes_as_it_is() -> None:
    assert list(unpack(iter([b"a", b"b"]), None, "the file")) == [b"a", b"b"]


def test_what_unpacks_to_much_more_is_given_out_in_pieces() -> None:
    packed = gzip.compress(bytes(64 << 20))
    assert max(map(len, unpack(pieces(packed, 1 << 16), "gzip", "the file"))) <= 1 << 20


def test_errors_of_the_disk_are_not_damage() -> None:
    def failing() -> Iterator[bytes]:
        yield gzip.compress(b"x")[:10]
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        list(unpack(failing(), "gzip", "the file"))


def test_kinds_by_name_and_by_content() -> None:
    names = ["a.gz", "A.GZ", "a.bz2", "a.xz", "a.zst", "a.jsonl", "gz"]
    assert [kind_of_name(name) for name in names] == ["gzip", "gzip", "bzip2", "xz", "zstd", None, None]
    heads = [b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b'{"a":1}', b"", b"B", b"\xef\xbb\xbf"]
    assert [kind_of_content(head) for head in heads] == ["zstd", "zstd", None, None, None, None]
