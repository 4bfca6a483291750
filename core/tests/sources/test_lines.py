"""Splitting, against an oracle that reads everything and counts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from insula.descriptors import Position
from insula.errors import InputChangedError, SourceError
from insula.sources import lines, scanning
from insula.sources.compression import kind_of_content
from insula.sources.lines import split_lines
from insula.sources.listing import list_files
from insula.sources.opening import stamp_of
from insula.spec import BatchRef, Block, Input, Slice

MARK = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs")


def write(folder: Path, contents: Sequence[bytes]) -> list[Input]:
    inputs = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.jsonl"
        path.write_bytes(content)
        status = path.stat()
        inputs.append(Input(str(path), status.st_size, stamp_of(status)))
    return inputs


def references(blocks: Sequence[Block], ordinal: int = 0, index: int = 0) -> list[BatchRef]:
    found: list[BatchRef] = []
    for block in blocks:
        found += Slice(ordinal, index, block).references()
        ordinal, index = ordinal + block.batches, index + block.samples
    return found


def samples_of(content: bytes) -> list[bytes]:
    return [line.strip() for line in content.split(b"\n") if line.strip()]


def oracle(contents: Sequence[bytes], size: int) -> list[list[bytes]]:
    samples = [sample for content in contents for sample in samples_of(content.removeprefix(MARK))]
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def read(contents: Sequence[bytes], reference: BatchRef) -> list[bytes]:
    parts = [contents[extent.input][extent.start : extent.stop] for extent in reference.extents]
    return samples_of(b"\n".join(parts))


line = st.one_of(
    st.sampled_from([b"", b" ", b"\t", b"\r", b" \x0b\x0c ", b" " * 40]),
    st.binary(min_size=1, max_size=50).map(lambda data: data.replace(b"\n", b"-").replace(MARK, b"-")),
    st.sampled_from([b"1", b"{}", b"  2 "]),
)
content = st.builds(
    lambda mark, parts, end, last: mark + end.join([*parts, last]),
    st.sampled_from([b"", b"", MARK]),
    st.lists(line, max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"", b"end", b" "]),
).filter(lambda it: kind_of_content(it) is None)


@given(st.lists(content, max_size=4), st.integers(1, 9), st.sampled_from([1, 3, 16, 64, 1 << 18]), st.data())
@example([MARK, MARK + b"1\n2", b"", b"\n\n", b"3"], 2, 1, None)
def test_any_files_are_split_as_the_oracle_does_and_from_any_position(
    folder: Path, contents: list[bytes], size: int, chunk: int, data: st.DataObject | None
) -> None:
    inputs = write(folder, contents)
    with patch.object(scanning, "_CHUNK", chunk), patch.object(lines, "_BLOCK", 40):
        blocks = list(split_lines(inputs, size))
        found = references(blocks)
        assert [read(contents, reference) for reference in found] == oracle(contents, size)
        assert [reference.count for reference in found] == [len(batch) for batch in oracle(contents, size)]
        for reference in found if data is None else found and [data.draw(st.sampled_from(found))]:
            last = reference.extents[-1]
            samples = reference.index + reference.count
            after = Position(reference.ordinal + 1, samples, last.input, last.stop)
            tail = references(list(split_lines(inputs, size, after)), after.batches, after.samples)
            assert tail == found[after.batches :]


@given(st.lists(content, min_size=1, max_size=3), st.integers(1, 9), st.sampled_from([3, 16, 1 << 18]))
def test_the_line_of_a_block_is_how_many_newlines_come_before_it(
    folder: Path, contents: list[bytes], size: int, chunk: int
) -> None:
    with patch.object(scanning, "_CHUNK", chunk), patch.object(lines, "_BLOCK", 20):
        blocks = list(split_lines(write(folder, contents), size))
    for block in blocks:
        first = block.extents[0] if block.extents else block
        assert block.line == contents[first.input].count(b"\n", 0, first.start)


def test_blocks_behind_a_resume_do_not_guess_their_line(tmp_path: Path) -> None:
    inputs = write(tmp_path, [b"1\n2\n3\n", b"4\n5\n"])
    blocks = list(split_lines(inputs, 1, Position(1, 1, 0, 2)))
    assert [(block.input, block.start, block.line) for block in blocks] == [(0, 2, -1), (1, 0, 0)]


def test_a_batch_that_crosses_files_is_a_block_with_extents(tmp_path: Path) -> None:
    blocks = list(split_lines(write(tmp_path, [b"1\n2\n\n", b"", b"3", b"4\n5\n6\n7\n8"]), 4))
    assert [[(it.input, it.start, it.stop) for it in block.extents] for block in blocks] == [
        [(0, 0, 4), (2, 0, 1), (3, 0, 2)],
        [],
    ]
    assert (blocks[1].input, blocks[1].start, list(blocks[1].stops), blocks[1].last) == (3, 2, [9], 4)


def test_blocks_are_yielded_while_the_file_is_read(tmp_path: Path) -> None:
    inputs = write(tmp_path, [b'{"n": 1}\n' * (1 << 20)])
    blocks = split_lines(inputs, 32)
    first = next(blocks)
    assert first.stops[-1] - first.start <= 1 << 18
    lengths = [block.stops[-1] - block.start for block in blocks]
    assert sum(lengths) == (9 << 20) - first.stops[-1]
    assert max(lengths) < 1.3 * (1 << 20)
    assert min(lengths[:-1]) >= 1 << 20


def test_a_block_holds_no_more_than_a_chunk_of_tiny_batches(tmp_path: Path) -> None:
    blocks = list(split_lines(write(tmp_path, [b"1\n" * (1 << 20)]), 1))
    assert sum(block.batches for block in blocks) == 1 << 20
    assert max(block.batches for block in blocks) <= 1 << 17


@pytest.mark.parametrize("size", [1, 7])
def test_lines_longer_than_a_chunk_are_passed_over(tmp_path: Path, size: int) -> None:
    long = b'"' + b"x" * 700_000 + b'"'
    contents = [b"1\n" + long + b"\n" + b" " * 600_000 + b"\n2\n" + long, b"3\n"]
    found = references(list(split_lines(write(tmp_path, contents), size)))
    assert [read(contents, reference) for reference in found] == oracle(contents, size)


def test_files_of_blank_lines_hold_no_batch(tmp_path: Path) -> None:
    assert list(split_lines(write(tmp_path, [b"", b"\n", b" \r\n\t\n", MARK, MARK + b"\n"]), 3)) == []


def test_an_input_that_changed_is_named(tmp_path: Path) -> None:
    inputs = write(tmp_path, [b"1\n", b"2\n"])
    (tmp_path / "1.jsonl").write_bytes(b"2\n3\n")
    with pytest.raises(InputChangedError, match=r"1\.jsonl is no longer .* it had 2 bytes and now has 4"):
        list(split_lines(inputs, 1))


def test_an_input_that_changes_while_it_is_split_is_named(tmp_path: Path) -> None:
    inputs = write(tmp_path, [b"1\n" * (1 << 18)])
    blocks = split_lines(inputs, 1)
    next(blocks)
    os.utime(inputs[0].uri, ns=(0, 0))
    with pytest.raises(InputChangedError, match="it was modified"):
        list(blocks)
    inputs = write(tmp_path, [b"1\n" * (1 << 18)])
    blocks = split_lines(inputs, 1)
    next(blocks)
    os.truncate(inputs[0].uri, 1 << 18)
    with pytest.raises(InputChangedError, match="it ends at byte 262144"):
        list(blocks)


@pytest.mark.parametrize("size", [1, 32])
def test_a_file_that_does_not_begin_as_json_lines_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" * 20 + "1\n")
    with pytest.raises(SourceError, match="rows.csv is not a file of JSON lines"):
        list(split_lines(list_files([str(path)], (), (), tmp_path), size))


def test_a_file_with_one_good_line_at_its_beginning_is_not(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("a,b\n\n" * 19 + "1\n" + "a,b\n")
    assert sum(block.samples for block in split_lines(list_files([str(path)], (), (), tmp_path), 4)) == 21
