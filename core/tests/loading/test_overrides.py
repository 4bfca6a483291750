from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import SpecError
from insula.loading import merge, parse_overrides


@pytest.mark.parametrize(
    "base, over, merged",
    [
        ({}, {}, {}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 2}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 2}, {"a": None}, {"a": None}),
    ],
)
def test_merge(base: dict[str, Any], over: dict[str, Any], merged: dict[str, Any]) -> None:
    before = repr((base, over))
    assert merge(base, over) == merged
    assert repr((base, over)) == before


@pytest.mark.parametrize(
    "overrides, config",
    [
        ([], {}),
        (["a=1"], {"a": 1}),
        (["a.b=1", "a.c=x=y"], {"a": {"b": 1, "c": "x=y"}}),
        (["a={b: 1}", "a.c=[1, 2]"], {"a": {"b": 1, "c": [1, 2]}}),
        (["a=1", "a=2"], {"a": 2}),
        (["a="], {"a": ""}),
    ],
)
def test_overrides(overrides: list[str], config: dict[str, Any]) -> None:
    assert parse_overrides(overrides) == config


def test_all_faults_at_once() -> None:
    with pytest.raises(SpecError) as raised:
        parse_overrides(["a", "=1", "b..c=1", "d=1", "d.e=2", "f.g=1", "f=1", "h.i=["])
    lines = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["--config"] * 6
    assert "found 'a'" in lines[0]
    assert "d: given both as a value and as a mapping" in lines[3]
    assert "f: given both as a value and as a mapping" in lines[4]
    assert "h.i: not valid YAML" in lines[5]


@given(st.lists(st.text() | st.from_regex(r"[ab.]{1,3}=[\[{\"a1]{0,3}", fullmatch=True)))
def test_any_overrides_are_taken_or_refused(overrides: list[str]) -> None:
    with suppress(SpecError):
        assert isinstance(parse_overrides(overrides), dict)
