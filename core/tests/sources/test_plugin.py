"""The three sources, through their hooks."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from insula.descriptors import Source, SplitContext
from insula.sources import plugin
from insula.sources.settings import DelimitedFiles, FilePathLister, ItemList
from insula.spec import Slice


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("project", "spool"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "a.jsonl").write_text('{"x": 1}\n\n{"x": 2}\n')
    (tmp_path / "project" / "b.jsonl").write_text('{"x": 3}')
    return tmp_path / "project"


def samples(source: Any, settings: Any, project: Path) -> list[list[Any]]:
    context = SplitContext(settings, project, project.parent / "spool")
    inputs = source.insula_list(context=context)
    references: list[Any] = []
    for block in source.insula_split(context=context, inputs=inputs, after=None):
        references += Slice(len(references), 0, block).references()
    return [it.samples for it in source.insula_read(inputs=dict(enumerate(inputs)), references=references)]


def test_each_describes_itself_by_the_key_that_a_user_writes() -> None:
    assert plugin.delimited_files.insula_source() == Source("delimited_files", DelimitedFiles)
    assert plugin.file_path_lister.insula_source() == Source("file_path_lister", FilePathLister)
    assert plugin.item_list.insula_source() == Source("item_list", ItemList, inline=True)


def test_delimited_files_give_their_lines(project: Path) -> None:
    settings = DelimitedFiles(paths=("*.jsonl",), batch_size=2)
    assert samples(plugin.delimited_files, settings, project) == [[{"x": 1}, {"x": 2}], [{"x": 3}]]


def test_a_file_path_lister_gives_paths(project: Path) -> None:
    strange = project / "caf\udce9 \n.bin"  # a name that is not UTF-8
    strange.write_bytes(b"\xff")
    settings = FilePathLister(paths=(".",), excludes=("**/a.*",), batch_size=5)
    assert samples(plugin.file_path_lister, settings, project) == [[str(project / "b.jsonl"), str(strange)]]


def test_an_item_list_gives_its_items(project: Path) -> None:
    items = (1, None, {"a": [float("inf"), "é"]}, 1 << 80)
    assert samples(plugin.item_list, ItemList(items=items, batch_size=3), project) == [
        list(items[:3]),
        [1 << 80],
    ]


def test_compressed_files_are_read_from_a_copy_and_listed_as_they_are(project: Path) -> None:
    rows = b'{"a": 1}\n{"a": 2}\n'
    (project / "c.jsonl.gz").write_bytes(gzip.compress(rows))
    (project / "d.jsonl").write_bytes(gzip.compress(rows))  # told by its content
    (project / "e.gz").write_bytes(rows)  # and so is this
    settings = DelimitedFiles(paths=("c.jsonl.gz", "d.jsonl", "e.gz"), batch_size=4)
    context = SplitContext(settings, project, project.parent / "spool")
    inputs = list(plugin.delimited_files.insula_list(context))
    assert [one.name for one in inputs] == [str(project / name) for name in ("c.jsonl.gz", "d.jsonl", "e.gz")]
    assert not list(context.spool.iterdir())
    blocks = list(plugin.delimited_files.insula_split(context, inputs, None))
    assert [block.samples for block in blocks] == [4, 2]
    assert [path.read_bytes() for path in sorted(context.spool.iterdir())] == [rows] * 3
    assert len(samples(plugin.file_path_lister, FilePathLister(paths=("c.jsonl.gz",)), project)[0]) == 1
