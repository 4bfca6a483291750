"""What predictors get from numpy and pandas, as predictions: the core recognises it and imports neither."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from insula.descriptors import Predictions
from insula.worker.encoding import encode_each, encode_whole
from insula.worker.jsonable import NotJsonableError, Writable
from insula.worker.outcome import interpret

nan, inf = float("nan"), float("inf")

ROWS = [
    (np.array([1, 2]), [1, 2]),
    (np.array([[0.5], [1.5]], dtype=np.float32), [[0.5], [1.5]]),
    (np.array(["a", "b"]), ["a", "b"]),
    (np.array([{"a": 1}, None], dtype=object), [{"a": 1}, None]),
    (pd.Series([1, 2], index=["x", "y"]), [1, 2]),
    (pd.Index(["x", "y"]), ["x", "y"]),
    (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
]


@pytest.mark.parametrize("value, values", ROWS, ids=lambda it: type(it).__name__)
def test_rows_are_one_prediction_a_sample(value: Any, values: list[Any]) -> None:
    assert interpret(value, "auto", 2) == Predictions.each(values)
    with pytest.raises(ValueError, match="predict returned 2 predictions for 3 samples"):
        interpret(value, "auto", 3)


def test_what_has_no_rows_is_one_prediction_for_the_batch() -> None:
    assert interpret(np.array(2.5), "auto", 2) == Predictions.whole(2.5)
    assert interpret(np.float32(2.5), "auto", 2) == Predictions.whole(np.float32(2.5))


VALUES = [
    (np.float16(0.5), 0.5),
    (np.float32(0.5), 0.5),
    (np.float64(0.1), 0.1),
    (np.longdouble(0.5), 0.5),
    (np.int64(-3), -3),
    (np.uint8(3), 3),
    (np.bool_(True), True),
    (np.str_("a"), "a"),
    (np.bytes_(b"a"), "YQ=="),
    (np.datetime64("2026-01-02T03:04:05"), "2026-01-02T03:04:05"),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([[1, 2], [3, 4]]).T, [[1, 3], [2, 4]]),
    (np.array([1, 2], dtype=">i4"), [1, 2]),
    (np.array(5), 5),
    (np.array(["a", None], dtype=object), ["a", None]),
    (np.array([], dtype=np.float32), []),
    (np.array(["2026-01-02T03:04:05"], dtype="datetime64[ns]"), ["2026-01-02T03:04:05"]),
    ({np.int64(1): np.array([1.5])}, {"1": [1.5]}),
    (pd.Series([1, 2]), [1, 2]),
    (pd.DataFrame({"a": [1]}), [{"a": 1}]),
    (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
    (pd.NaT, None),
    (pd.NA, None),
]


@pytest.mark.parametrize("value, plain", VALUES, ids=lambda it: type(it).__name__)
def test_values_are_written_without_help(value: Any, plain: Any) -> None:
    assert Writable(value).plain == plain
    each = encode_each([value, "x", value], 0, "id")
    assert [json.loads(line)["prediction"] for line in each.lines.splitlines()] == [plain, "x", plain]
    assert (each.non_finite, each.failures) == (0, ())
    assert json.loads(encode_whole((value,), 0, 1, "id").lines)["prediction"] == [plain]


@pytest.mark.parametrize(
    "value, plain, count",
    [
        (np.array([[nan, 1], [2, inf]]), [[None, 1], [2, None]], 2),
        (np.array([nan], dtype=np.float32), [None], 1),
        (np.float32("nan"), None, 1),
        (np.float64("inf"), None, 1),
        ({"p": np.array([nan])}, {"p": [None]}, 1),
        (pd.DataFrame({"a": [nan]}), [{"a": None}], 1),
    ],
)
def test_nan_and_infinities_are_null_and_counted(value: Any, plain: Any, count: int) -> None:
    encoded = encode_each([value, None, value], 0, "id")
    assert [json.loads(line)["prediction"] for line in encoded.lines.splitlines()] == [plain, None, plain]
    assert encoded.non_finite == 2 * count


def test_dates_in_an_array_stay_dates() -> None:
    dates = np.array(["2026-01-02T03:04:05", "NaT"], dtype="datetime64[ns]")
    encoded = encode_each(interpret(dates, "auto", 2).values, 0, "id")
    assert [json.loads(line)["prediction"] for line in encoded.lines.splitlines()] == [
        "2026-01-02T03:04:05",
        None,
    ]


def test_what_json_cannot_hold_is_named_with_its_path() -> None:
    with pytest.raises(NotJsonableError, match=r"prediction\[\"a\"\]\[0\] is a complex, which JSON cannot hold"):
        Writable({"a": np.array([1j])})
