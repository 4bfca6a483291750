from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import InputChangedError, SourceError
from insula.sources import opening, reading
from insula.sources.compression import kind_of_content
from insula.sources.lines import split_lines
from insula.sources.opening import stamp_of
from insula.sources.reading import read_lines
from insula.spec import BatchRef, Extent, Input, Slice


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs")


def write(folder: Path, contents: Sequence[bytes]) -> dict[int, Input]:
    inputs = {}
    for number, content in enumerate(contents):
        path = folder / f"{number}.jsonl"
        path.write_bytes(content)
        status = path.stat()
        inputs[number] = Input(str(path), status.st_size, stamp_of(status))
    return inputs


def split(inputs: dict[int, Input], size: int) -> list[BatchRef]:
    found: list[BatchRef] = []
    for block in split_lines(list(inputs.values()), size):
        index = found[-1].index + found[-1].count if found else 0
        found += Slice(len(found), index, block).references()
    return found


line = st.sampled_from([b"", b" \r", b"1", b'{"a": "b"}', b"nonsense", b"123456789012345678901", b'"\xff"'])
content = st.lists(line, max_size=8).map(b"\n".join).filter(lambda it: kind_of_content(it) is None)


@given(st.lists(content, max_size=3), st.integers(1, 4), st.sampled_from([1, 20, 1 << 20]), st.randoms())
def test_batches_are_read_in_any_order_as_they_were_split(
    folder: Path, contents: list[bytes], size: int, window: int, random: object
) -> None:
    inputs = write(folder, contents)
    references = split(inputs, size)
    everything = [it.strip() for content in contents for it in content.split(b"\n") if it.strip()]
    random.shuffle(references)  # type: ignore[attr-defined]
    with patch.object(reading, "_WINDOW", window):
        payloads = list(read_lines(inputs, references))
    assert len(payloads) == len(references)
    for reference, payload in zip(references, payloads, strict=True):
        wanted = everything[reference.index : reference.index + reference.count]
        bad = {it.position: it.raw for it in payload.unreadable}
        positions = range(reference.count) if payload.positions is None else payload.positions
        good = dict(zip(positions, payload.samples, strict=True))
        assert bad.keys() | good.keys() == set(range(reference.count))
        for position, text in enumerate(wanted):
            assert bad[position] == text if position in bad else good[position] == json.loads(text)


def test_neighbouring_batches_are_read_in_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = write(tmp_path, [b"1\n" * 100, b"2\n" * 10])
    references = split(inputs, 7)
    reads = []
    pread = os.pread

    def counting(fd: int, length: int, start: int) -> bytes:
        reads.append((start, length))
        return pread(fd, length, start)

    monkeypatch.setattr(os, "pread", counting)
    assert len(list(read_lines(inputs, references))) == len(references) == 16
    assert reads == [(0, 200), (0, 20)]


def test_reading_begins_when_the_first_payload_is_asked_for_and_leaves_nothing_open(tmp_path: Path) -> None:
    inputs = write(tmp_path, [b"1\n2\n"])
    before = os.listdir("/proc/self/fd")
    payloads = read_lines(inputs, split(inputs, 1))
    assert next(payloads).samples == [1]
    assert len(os.listdir("/proc/self/fd")) == len(before) + 1
    payloads.close()
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_short_read_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = write(tmp_path, [b'"abcdef"\n' * 5])
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, start: pread(fd, min(length, 3), start))
    assert [payload.samples for payload in read_lines(inputs, split(inputs, 5))] == [["abcdef"] * 5]


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda path: path.write_bytes(b"1\n2\n3\n"), "it had 4 bytes and now has 6"),
        (lambda path: os.utime(path, ns=(0, 0)), "it was modified"),
        (lambda path: path.unlink(), "it is gone"),
    ],
)
def test_an_input_that_changed_is_named(tmp_path: Path, change: object, what: str) -> None:
    inputs = write(tmp_path, [b"1\n2\n"])
    references = split(inputs, 1)
    change(tmp_path / "0.jsonl")  # type: ignore[operator]
    with pytest.raises(InputChangedError, match=rf"0\.jsonl is no longer .*: {what}\. Put the listed file back"):
        next(read_lines(inputs, references))


def test_a_change_between_two_reads_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = write(tmp_path, [b"1\n2\n"])
    monkeypatch.setattr(reading, "_WINDOW", 1)
    payloads = read_lines(inputs, split(inputs, 1))
    next(payloads)
    os.utime(tmp_path / "0.jsonl", ns=(0, 0))
    with pytest.raises(InputChangedError, match="it was modified"):
        next(payloads)


def test_an_input_with_another_count_of_samples_is_named(tmp_path: Path) -> None:
    inputs = {0: Input(write(tmp_path, [b"1\n\n2\n"])[0].uri, name="item_list")}
    reference = BatchRef(0, 0, 3, (Extent(0, 0, 5),))
    with pytest.raises(InputChangedError, match="item_list is no longer .* bytes 0 to 5 held 3 samples and now hold 2"):
        list(read_lines(inputs, [reference]))


def test_an_input_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {0: Input(str(tmp_path), 4)}
    reference = BatchRef(0, 0, 1, (Extent(0, 0, 2),))
    with pytest.raises(SourceError, match="is no longer|cannot be read"):
        list(read_lines(inputs, [reference]))

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(opening.os, "open", refuse)
    with pytest.raises(SourceError, match="cannot be opened: Permission denied"):
        list(read_lines(inputs, [reference]))
