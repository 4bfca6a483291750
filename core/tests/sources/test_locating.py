"""Where dead letters stand: the line that an editor shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.sources.lines import split_lines
from insula.sources.listing import list_files
from insula.sources.locating import Locator
from insula.spec import Slice


def places(root: Path, files: list[list[bytes]], batch_size: int, forget: bool) -> list[tuple[str | None, int | None]]:
    """Locate every sample of some files, as the split told or, like behind a resume, without the lines it counted."""
    names = []
    for number, lines in enumerate(files):
        path = root / f"{number}.jsonl"
        path.write_bytes(b"\n".join(lines))
        names.append(str(path))
    listed = list_files(names, (), (), root)
    inputs = dict(enumerate(listed))
    found, ordinal, index, locator = [], 0, 0, Locator()
    for block in split_lines(listed, batch_size):
        if forget:
            object.__setattr__(block, "line", -1)
        placed = Slice(ordinal, index, block)
        for reference in placed.references():
            there = locator.locate(inputs, placed, reference.ordinal, range(reference.count))
            found += [(place.source, place.line) for place in there]
        ordinal, index = ordinal + block.batches, index + block.samples
    return found


@pytest.mark.parametrize("forget", [False, True])
@given(
    files=st.lists(st.lists(st.sampled_from([b"1", b"", b"  ", b'{"a":2}']), max_size=12), min_size=1, max_size=3),
    batch_size=st.integers(1, 5),
)
def test_every_sample_is_found_on_its_line(
    tmp_path_factory: pytest.TempPathFactory, forget: bool, files: list[list[bytes]], batch_size: int
) -> None:
    root = tmp_path_factory.mktemp("files")
    expected = [
        (str(root / f"{number}.jsonl"), line)
        for number, lines in enumerate(files)
        for line, text in enumerate(lines, 1)
        if text.strip()
    ]
    assert places(root, files, batch_size, forget) == expected
