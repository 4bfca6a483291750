from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.documents import parse_document
from insula.errors import SpecError


def parse(text: str | bytes) -> Any:
    return parse_document(text.encode() if isinstance(text, str) else text, "job.json", json=True)


def test_what_orjson_refuses_or_rounds() -> None:
    data = parse('{"a": NaN, "b": 123456789012345678901234567890, "c": "\\ud800", "d": -Infinity}').data
    assert math.isnan(data["a"])
    assert data["b"] == 123456789012345678901234567890
    assert data["c"] == "\ud800"
    assert data["d"] == -math.inf


def test_a_byte_order_mark() -> None:
    assert parse(b'\xef\xbb\xbf{"a": 1}').data == {"a": 1}


@pytest.mark.parametrize(
    "text, lines",
    [
        (
            '{"a": 1,\n "a": 2, "b": {"c": 1,\n"c": 1}}',
            ["job.json:2:2: a: this key", "job.json:3:1: b.c: this key"],
        ),
        ('{"a":}', ["job.json:1:6: not valid JSON: expecting value"]),
        ('{"a": 1}\nx', ["job.json:2:1: not valid JSON: extra data"]),
        ("{'a': 1}", ["job.json:1:2: not valid JSON: "]),
        ("[" * 100_000, ["job.json: the document is nested too deeply"]),
        ('{"a": ' + "9" * 5000 + "}", ["job.json: not readable as JSON: "]),
        ("null", ["job.json: the file holds nothing"]),
        ("5", ["job.json:1: expected a mapping or a list"]),
    ],
)
def test_faults(text: str, lines: list[str]) -> None:
    with pytest.raises(SpecError) as raised:
        parse(text)
    found = str(raised.value).splitlines()
    assert len(found) == len(lines)
    for line, beginning in zip(found, lines, strict=True):
        assert line.startswith(beginning)


def test_keys_of_items_may_repeat() -> None:
    assert parse('{"items": [{"a": 1, "a": 2}]}').data == {"items": [{"a": 2}]}


@pytest.mark.parametrize(
    "path, mark",
    [
        ((), (1, 1)),
        (("a",), (2, 2)),
        (("a", 0), (3, 3)),
        (("a", 1), (4, 3)),
        (("a", 1, "b", "c"), (5, 4)),
        (("d",), (6, 2)),
        (("x",), None),
        (("a", 7), None),
        (("d", "e"), None),
    ],
)
def test_marks(path: tuple[str | int, ...], mark: tuple[int, int] | None) -> None:
    text = '{\n "a": [\n  1,\n  {"b": {\n   "c": 1}}],\n "d": 1}'
    assert parse(text).locate(path) == mark


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def paths(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for step, value in inside for found in paths(value, (*path, step)))]


@given(st.dictionaries(st.text(), values), st.sampled_from([None, 0, 2]))
def test_every_part_is_found_again(data: dict[str, Any], indent: int | None) -> None:
    document = parse(json.dumps(data, indent=indent))
    assert document.data == data
    assert all(document.locate(path) is not None for path in paths(data))


@given(st.text(alphabet='{}[]":,0123456789.eE-+ntfruals\\ \n'))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SpecError):
        assert isinstance(parse(text).data, (dict, list))
