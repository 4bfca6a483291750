from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.documents import parse_value
from insula.errors import SpecError


@pytest.mark.parametrize(
    "text, value",
    [
        ("1", 1),
        ("1e-4", 1e-4),
        ("0.5", 0.5),
        ("true", True),
        ("yes", True),
        ("null", None),
        ("~", None),
        ("text", "text"),
        ("", ""),
        ('"1"', "1"),
        ("'1'", "1"),
        ("[1, x]", [1, "x"]),
        ("{a: 1}", {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ("#abc", "#abc"),
        ("a: b", "a: b"),
        ("- a", "- a"),
        ("*x", "*x"),
        ("s3://a/b?c=d", "s3://a/b?c=d"),
        ("NaN", "NaN"),
        ("2020-01-01", "2020-01-01"),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert parse_value(text, "--config") == value
    assert type(parse_value(text, "--config")) is type(value)


@pytest.mark.parametrize("text", ["[1", "{a", "'a", '"', "[!x 1]", "0b_", "{a: 1, a: 2}"])
def test_faults(text: str) -> None:
    with pytest.raises(SpecError, match="--config"):
        parse_value(text, "--config")


@given(st.text())
def test_any_text_is_a_value_or_refused(text: str) -> None:
    with suppress(SpecError):
        parse_value(text, "--config")
