from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula import exact

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", 10**40, math.inf]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_what_is_written_is_read(value: Any) -> None:
    # NaN is not itself, but its text is.
    assert repr(exact.loads(exact.dumps(value))) == repr(value)


def test_json_is_only_taken_where_it_must_be() -> None:
    assert exact.dumps({"a": [1, "é"]}) == '{"a":[1,"é"]}'.encode()
    assert exact.dumps({"a": math.nan}, users=False) == b'{"a":null}'
    assert exact.dumps({"a": 10**40}, users=False) == b' {"a": 1' + b"0" * 40 + b"}"


@pytest.mark.parametrize("text", [b"", b" ", b"{", b" {", b" " + b"[" * 100_000, b"\xff"])
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact.loads(text)


def test_what_has_no_json_form() -> None:
    with pytest.raises(TypeError):
        exact.dumps({"a": object(), "b": None})
