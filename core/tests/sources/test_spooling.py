import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import SourceError
from insula.sources.opening import stamp_of
from insula.sources.parsing import parse
from insula.sources.spooling import spool

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@given(st.lists(values, min_size=1, max_size=5))
def test_any_items_arrive_as_they_were_sent(folder: Path, items: list[Any]) -> None:
    spooled = spool(items, folder, "item_list")
    data = Path(spooled.uri).read_bytes()
    assert data.count(b"\n") == len(items)
    assert repr(parse(data, len(items)).samples) == repr(items)


def test_a_spool_is_an_input_that_is_called_by_its_name(tmp_path: Path) -> None:
    spooled = spool(iter([{"a": 1}, [2]]), tmp_path, "item_list")
    path = tmp_path / "item_list.jsonl"
    assert (spooled.uri, spooled.name, spooled.size) == (str(path), "item_list", 12)
    assert spooled.stamp == stamp_of(path.stat())
    assert path.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"a": 1}, [2]]


def test_a_spool_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(fd: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        spool([1, 2], tmp_path, "item_list")
    assert not (tmp_path / "item_list.jsonl").exists()
    monkeypatch.undo()
    assert spool([3], tmp_path, "item_list").size == 2
    assert [path.name for path in tmp_path.iterdir()] == ["item_list.jsonl"]


@pytest.mark.parametrize("item, cause", [({1, 2}, "type set"), (b"x", "type bytes")])
def test_an_item_that_is_no_json_is_named(tmp_path: Path, item: object, cause: str) -> None:
    with pytest.raises(SourceError, match=rf"item_list\[1\] cannot be written as JSON: .*{cause}"):
        spool([0, item], tmp_path, "item_list")


def test_an_item_that_contains_itself_is_named(tmp_path: Path) -> None:
    item: list[Any] = []
    item.append(item)
    with pytest.raises(SourceError, match=r"item_list\[0\] cannot be written as JSON"):
        spool([item], tmp_path, "item_list")
