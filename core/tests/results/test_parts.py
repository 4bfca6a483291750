from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.results import parts
from insula.results.parts import PartWriter, write_all


def test_what_is_appended_is_where_it_says(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, "1-0-1", limit=10)
    places = [(writer.append(data), writer.name) for data in (b"12345", b"678901", b"x", b"yz")]
    writer.sync()
    writer.close()
    assert places == [(0, "1-0-1-1.part"), (5, "1-0-1-1.part"), (0, "1-0-1-2.part"), (1, "1-0-1-2.part")]
    assert (tmp_path / "1-0-1-1.part").read_bytes() == b"12345678901"
    assert (tmp_path / "1-0-1-2.part").read_bytes() == b"xyz"


def test_a_part_that_another_began_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "1-0-1-1.part").write_bytes(b"somebody's results")
    with pytest.raises(FileExistsError):
        PartWriter(tmp_path, "1-0-1").append(b"mine")
    assert (tmp_path / "1-0-1-1.part").read_bytes() == b"somebody's results"


def test_a_part_is_private(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, "a")
    writer.append(b"x")
    writer.close()
    assert (tmp_path / writer.name).stat().st_mode & 0o077 == 0


def test_without_anything_to_write_there_is_no_part(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, "a")
    writer.sync()
    writer.close()
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=100), st.integers(1, 7))
def test_a_short_write_is_continued(data: bytes, most: int) -> None:
    written = bytearray()

    def short(descriptor: int, left: bytes | memoryview) -> int:
        written.extend(left[:most])
        return min(most, len(left))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts.os, "write", short)
        write_all(-1, data)
    assert bytes(written) == data


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        write_all(descriptor, b"x")
    os.close(descriptor)
