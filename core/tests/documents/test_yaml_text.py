from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from insula.documents import Document, parse_document
from insula.errors import Fault, SpecError


def parse(text: str) -> Document:
    return parse_document(text.encode(), "file.yaml", json=False)


# Each alias is one level deeper than the one before it.
CHAIN = "".join(f"a{i}: &a{i} [{f'*a{i - 1}' if i else 1}]\n" for i in range(3000))


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(SpecError) as raised:
        parse_document(text.encode() if isinstance(text, str) else text, "file.yaml", json=False)
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    "text, data",
    [
        ("a: 1\nb: [x, 1.5, null, ~]", {"a": 1, "b": ["x", 1.5, None, None]}),
        ("a: yes\nb: off\n'on': 1", {"a": True, "b": False, "on": 1}),
        ("a: 0x1F\nb: 010\nc: 1_000\nd: 12:30", {"a": 31, "b": 8, "c": 1000, "d": 750}),
        ("a: 1e5\nb: 1.0e+5", {"a": "1e5", "b": 1e5}),
        ("a: 2020-01-01\nb: 2020-13-45", {"a": "2020-01-01", "b": "2020-13-45"}),
        ("a: !!str 1\nb: !!int '3'", {"a": "1", "b": 3}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 1}\nd: {<<: *x, c: 2}", {"a": {"b": 1, "c": 1}, "d": {"b": 1, "c": 2}}),
        (
            "a: &x {b: 1}\nc: &y {b: 2, e: 3}\nd: {<<: [*x, *y]}",
            {"a": {"b": 1}, "c": {"b": 2, "e": 3}, "d": {"b": 1, "e": 3}},
        ),
        ("- a\n- b: 1", ["a", {"b": 1}]),
        ("---\na: 1\n...\n", {"a": 1}),
        ("\ufeffa: é", {"a": "é"}),
    ],
)
def test_data(text: str, data: Any) -> None:
    assert parse(text).data == data


@pytest.mark.parametrize(
    "text, lines",
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\na: 2", ["file.yaml:4:3: b.c: this key stands", "file.yaml:5:1: a: this key"]),
        ("on: 1\n1: x\n? [a]\n: 2", ["file.yaml:1:1: keys are strings: put on", "file.yaml:2:1: ", "file.yaml:3:3: "]),
        ("a: !inc x\nb: !!python/object:os.x {}", ["file.yaml:1:4: a: the tag !inc", "file.yaml:2:4: b: the tag !!python"]),
        ("a: !!int foo\nb: 0b_\nc: !!bool maybe", ["file.yaml:1:4: a: 'foo' is", "file.yaml:2:4: b: ", "file.yaml:3:4: c: "]),
        ("a: &x [*x]", ["file.yaml:1:4: a[0]: an alias stands inside"]),
        ("a: {<<: 1}", ["file.yaml:1:9: a: << merges mappings only"]),
        ("[" * 100_000, ["file.yaml:1:101: the document is nested too deeply"]),
        (CHAIN, ["file.yaml:1:10: the document is nested too deeply"]),
        ("a: 1\n---\nb: 1", ["file.yaml:2:1: not valid YAML: expected a single document"]),
        ("a: 1\n\tb: 1", ["file.yaml:2:1: not valid YAML: "]),
        ("\ta: 1", ["file.yaml:1:1: not valid YAML: while scanning"]),
        ("a: [1,\n 2", ["file.yaml:3:1: not valid YAML: "]),
        ("a: b: c", ["file.yaml:1:5: not valid YAML: mapping values are not allowed"]),
        ("a: 'x", ["file.yaml:1:6: not valid YAML: "]),
        ("a: *x", ["file.yaml:1:4: not valid YAML: found undefined alias"]),
        ("a: \x07", ["file.yaml:1:4: not valid YAML: control characters"]),
        ("a: 1\nb: 2\n # \x00", ["file.yaml:3:4: not valid YAML: control characters"]),
    ],
)  # fmt: skip
def test_faults(text: str, lines: list[str]) -> None:
    found = faults(text)
    assert len(found) == len(lines)
    for line, beginning in zip(found, lines, strict=True):
        assert line.startswith(beginning)
        assert len(line) < 400


def test_tabs_are_explained() -> None:
    assert "never with tabs" in faults("\ta: 1")[0]


def test_aliases_that_multiply_are_refused() -> None:
    levels = [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "too many parts" in faults("\n".join(["a: &a [x]", *levels]))[0]


TEXT = """\
a:
  - 1
  - b:
      c: 1
d: {e: 1}
"""


@pytest.mark.parametrize(
    "path, mark",
    [
        ((), (1, 1)),
        (("a",), (1, 1)),
        (("a", 0), (2, 5)),
        (("a", 1, "b"), (3, 5)),
        (("a", 1, "b", "c"), (4, 7)),
        (("d", "e"), (5, 5)),
        (("x",), None),
        (("a", 7), None),
    ],
)
def test_marks(path: tuple[str | int, ...], mark: tuple[int, int] | None) -> None:
    assert parse(TEXT).locate(path) == mark


def test_faults_are_put_in_order_and_at_the_nearest_place() -> None:
    error = parse(TEXT).error([Fault("x", ("d", "zz")), Fault("y", ("q",)), Fault("z", ("a", 0))])
    assert str(error).splitlines() == ["file.yaml:2:5: a[0]: z", "file.yaml:5:1: d.zz: x", "file.yaml: q: y"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values))
def test_what_pyyaml_writes_is_read_the_same(data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data)
    assert parse(text).data == yaml.safe_load(text) == data


@given(st.text() | st.text(alphabet="ab:- \n\t[]{},&*!'\"#<>|?%@1.~"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SpecError):
        assert isinstance(parse(text).data, (dict, list))


@given(st.binary())
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    for json in (False, True):
        with suppress(SpecError):
            assert isinstance(parse_document(text, "file", json=json).data, (dict, list))
