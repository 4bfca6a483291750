from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from insula_tensorflow.casting import UnsafeError, convert

BIG = 2**63

KEPT = [
    (3, "int32", 3),
    (3.0, "int32", 3),
    ([1, BIG], "uint64", [1, BIG]),
    ([BIG - 1, 1], "int64", [BIG - 1, 1]),
    (True, "int8", 1),
    (1, "bool", True),
    ([True, False], "bool", [True, False]),
    (1, "complex128", 1 + 0j),
    ([0.5 + 2j], "complex64", [0.5 + 2j]),
    (np.array([1, 2.5], dtype=object), "float32", [1.0, 2.5]),
    (np.array([1, 2], dtype=object), "uint8", [1, 2]),
    (np.array([np.inf, -np.inf]), "float16", [np.inf, -np.inf]),
    (np.array([7], dtype=">i4"), "int32", [7]),
    ([], "float32", []),
    ([[]], "int32", [[]]),
    ("ä", "object", b"\xc3\xa4"),
    (["a", b"\xff"], "object", [b"a", b"\xff"]),
    (np.array(["ä"]), "object", [b"\xc3\xa4"]),
    (np.array([b"a"]), "object", [b"a"]),
    ([], "object", []),
]


@pytest.mark.parametrize("value, dtype, kept", KEPT)
def test_what_can_be_is_converted(value: Any, dtype: str, kept: Any) -> None:
    made = convert(value, np.dtype(dtype))
    assert made.dtype == np.dtype(dtype)
    assert made.tolist() == kept
    assert made.shape == np.shape(kept)


def test_nan_stays_nan_among_floats() -> None:
    assert np.isnan(convert([1.5, float("nan")], np.dtype("float32"))[1])


REFUSED = [
    (3.5, "int32", "3.5 is not a value of int32"),
    (float("nan"), "int32", "nan is not a value of int32"),
    ([1, float("inf")], "int64", "inf is not a value of int64"),
    ([1, BIG], "int64", f"{BIG} is not a value of int64"),
    ([1.5, BIG], "uint64", "1.5 is not a value of uint64"),
    (np.array([2.0**63]), "int64", "9.223372036854776e+18 is not a value of int64"),
    (np.array([-1]), "uint64", "-1 is not a value of uint64"),
    (np.array([300]), "uint8", "300 is not a value of uint8"),
    (np.array([1, 2.5], dtype=object), "int32", "2.5 is not a value of int32"),
    (2, "bool", "2 is not a value of bool"),
    (1e40, "float32", "1e+40 is not a value of float32"),
    (1j, "float32", "complex numbers are not values of float32"),
    (2**70, "int64", f"{2**70} is not a value of int64"),
    (2**70, "float32", "it holds an integer of more than 64 bits"),
    ([1, "a"], "float32", "it holds text, which is not a number"),
    (b"a", "float32", "it holds bytes, which are not a number"),
    (None, "float32", "None is not a number"),
    ({"a": 1}, "float32", "{'a': 1} is not a number"),
    (np.array(["2026-01-02"], dtype="M8[D]"), "int64", "datetime64[D] is not a number"),
    ([[1, 2], [3]], "float32", "its lists differ in length: [1] has 1 element, [0] has 2 elements"),
    ([["a"], ["b", "c"]], "object", "its lists differ in length: [1] has 2 elements, [0] has 1 element"),
    (["a", None], "object", "None is neither text nor bytes"),
    ([1], "object", "1 is neither text nor bytes"),
]


@pytest.mark.parametrize("value, dtype, told", REFUSED)
def test_what_would_say_something_else_is_refused(value: Any, dtype: str, told: str) -> None:
    with pytest.raises(UnsafeError) as caught:
        convert(value, np.dtype(dtype))
    assert str(caught.value) == told
