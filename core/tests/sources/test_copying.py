from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from insula.errors import InputChangedError, SourceError
from insula.sources.copying import make_copy, needs_copy
from insula.sources.lines import split_lines
from insula.sources.listing import Listed
from insula.sources.opening import copy_of, is_spooled, open_input, origin_of, spooled, stamp_of
from insula.spec import Input


def listed(path: Path) -> Input:
    status = path.stat()
    return Input(str(path), status.st_size, stamp_of(status))


@pytest.fixture
def packed(tmp_path: Path) -> Input:
    path = tmp_path / "rows ?.gz"
    path.write_bytes(gzip.compress(b"1\n2\n"))
    return listed(path)


def test_a_copy_knows_its_origin_whatever_their_names(tmp_path: Path, packed: Input) -> None:
    path = str(tmp_path / "a?b%20#\udce9" / "0.jsonl")
    source = spooled(packed, path)
    assert is_spooled(source)
    assert not is_spooled(packed)
    assert copy_of(source).uri == path
    assert origin_of(source).uri == packed.uri
    assert (source.name, source.size, source.stamp) == (packed.uri, packed.size, packed.stamp)


def test_a_copy_is_made_once_and_whole(tmp_path: Path, packed: Input) -> None:
    source = spooled(packed, str(tmp_path / "copy"))
    (tmp_path / "copy.partial").write_bytes(b"left by a crash")
    make_copy(source)
    assert (tmp_path / "copy").read_bytes() == b"1\n2\n"
    assert not (tmp_path / "copy.partial").exists()
    Path(packed.uri).unlink()
    make_copy(source)
    with open_input(source) as file:
        file.check()
        assert file.read(2, 2) == b"2\n"


def test_an_origin_that_changed_is_not_copied(tmp_path: Path, packed: Input) -> None:
    source = spooled(packed, str(tmp_path / "copy"))
    os.utime(packed.uri, ns=(1, 1))
    with pytest.raises(InputChangedError, match="rows .*gz is no longer what it was"):
        make_copy(source)
    Path(packed.uri).unlink()
    with pytest.raises(InputChangedError, match="rows .*gz is no longer what it was.*: it is gone"):
        make_copy(source)
    assert not (tmp_path / "copy").exists()


def test_a_copy_that_is_gone_is_no_change_of_the_input(tmp_path: Path, packed: Input) -> None:
    with pytest.raises(SourceError, match="its copy .* is gone from the job's folder") as caught:
        open_input(spooled(packed, str(tmp_path / "copy")))
    assert not isinstance(caught.value, InputChangedError)


def test_what_needs_a_copy(tmp_path: Path, packed: Input) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"1\n")
    assert needs_copy(Listed(packed))
    assert not needs_copy(Listed(listed(plain)))
    plain.write_bytes(gzip.compress(b"1\n"))
    assert needs_copy(Listed(listed(plain)))
    assert needs_copy(Listed(Input("s3://b/k", 3), ranges=False))
    assert needs_copy(Listed(Input("s3://b/k.gz", 3)))
    assert needs_copy(Listed(Input("https://h/k.zst?sign=x", 3)))
    assert not needs_copy(Listed(Input("https://h/k?sign=x.gz", 3)))


def test_packed_data_behind_a_plain_name_is_told_by_the_splitter(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(gzip.compress(b"1\n"))
    with pytest.raises(SourceError, match=r"rows is gzip data, which its name does not say: rename it to end in \.gz"):
        list(split_lines([listed(path)], 2))
