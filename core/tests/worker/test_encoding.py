"""Encoding, read back by json."""

from __future__ import annotations

import json
import math
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.worker.encoding import Encoded, encode_each, encode_whole

ID = "0a1b2c3d-0000-4000-8000-000000000000"
nan, inf = float("nan"), float("inf")

scalars = (
    st.none() | st.booleans() | st.integers() | st.integers(-(1 << 80), 1 << 80) | st.floats()
    | st.text(st.characters(), max_size=8) | st.sampled_from(["null", "\n", "},{", "\ud800", "é\u2028"])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=6,
)
batches = (
    st.lists(values, max_size=6)
    | st.lists(scalars, max_size=6)
    | st.lists(st.integers(), max_size=6)
    | st.lists(st.floats(), max_size=6)
)


def plain(value: Any) -> Any:
    """The oracle: what JSON readers see of a value."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return value


def non_finite(value: Any) -> int:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(non_finite, value)) if isinstance(value, (list, tuple)) else 0


def distinct_keys(value: Any) -> bool:
    """Whether no dict has 1 and "1", which JSON cannot tell apart."""
    if isinstance(value, dict):
        return len({str(key) for key in value}) == len(value) and all(map(distinct_keys, value.values()))
    return all(map(distinct_keys, value)) if isinstance(value, (list, tuple)) else True


def lines(encoded: Encoded) -> list[Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert encoded.lines == b"" or encoded.lines.endswith(b"\n")
    return [json.loads(line, parse_constant=refuse) for line in encoded.lines.split(b"\n")[:-1]]


@given(batches.filter(distinct_keys), st.integers(0, 1 << 40), st.data(), st.booleans())
def test_any_predictions_are_read_back(batch: list[Any], index: int, data: st.DataObject, joined: bool) -> None:
    positions = data.draw(
        st.none() | st.lists(st.integers(0, 50), min_size=len(batch), max_size=len(batch), unique=True).map(sorted)
    )
    inputs = [b'{"n":%d}' % number for number in range(len(batch))] if joined else None
    encoded = encode_each(batch, index, ID, positions, inputs)
    wanted = []
    for number, value in enumerate(batch):
        at = number if positions is None else positions[number]
        wanted.append({"index": index + at, "batch_id": ID, "prediction": plain(value)})
        if joined:
            wanted[-1]["input"] = {"n": number}
    assert repr(lines(encoded)) == repr(wanted)
    assert (encoded.count, encoded.samples, encoded.failures) == (len(batch), len(batch), ())
    assert encoded.non_finite == sum(map(non_finite, batch))


@given(values.filter(distinct_keys), st.integers(1, 99), st.booleans())
def test_any_whole_prediction_is_read_back(value: Any, count: int, joined: bool) -> None:
    encoded = encode_whole(value, 7, count, ID, None, [b"1", b'"x"'] if joined else None)
    wanted = {"index": 7, "count": count, "batch_id": ID, "prediction": plain(value)}
    if joined:
        wanted["input"] = [1, "x"]
    assert repr(lines(encoded)) == repr([wanted])
    assert (encoded.count, encoded.samples, encoded.failures) == (1, count, ())
    assert encoded.non_finite == non_finite(value)


def test_a_line_has_these_fields_in_this_order() -> None:
    assert encode_each(["a"], 5, ID).lines == b'{"index":5,"batch_id":"%b","prediction":"a"}\n' % ID.encode()
    assert encode_each([1], 5, ID, [3], [b"{}"]).lines == (
        b'{"index":8,"batch_id":"%b","prediction":1,"input":{}}\n' % ID.encode()
    )
    assert encode_whole({}, 5, 32, ID).lines == (
        b'{"index":5,"count":32,"batch_id":"%b","prediction":{}}\n' % ID.encode()
    )


@pytest.mark.parametrize(
    "batch, count",
    [
        ([nan, inf, 1.5, -inf], 3),
        ([None, nan, "null", 1], 1),
        ([None, None], 0),
        (["null"], 0),
        ([[nan], {"a": inf}, None], 2),
        ([{"a": None}, {"a": "null"}], 0),
    ],
)
def test_nulls_are_told_apart(batch: list[Any], count: int) -> None:
    encoded = encode_each(batch, 0, ID)
    assert encoded.non_finite == count
    assert len(lines(encoded)) == len(batch)


def test_a_value_that_cannot_be_written_fails_its_sample_alone() -> None:
    with socket.socket() as unwritable:
        encoded = encode_each([1, {"a": [0, unwritable]}, nan, "x"], 100, ID, [0, 2, 3, 5], [b"0", b"1", b"2", b"3"])
    assert encoded.failures == ((2, 'prediction["a"][1] is a socket, which JSON cannot hold'),)
    assert [(line["index"], line["prediction"], line["input"]) for line in lines(encoded)] == [
        (100, 1, 0),
        (103, None, 2),
        (105, "x", 3),
    ]
    assert (encoded.count, encoded.samples, encoded.non_finite) == (3, 3, 1)


def test_a_whole_value_that_cannot_be_written_fails_every_sample() -> None:
    message = "prediction[0] is an object, which JSON cannot hold"
    assert encode_whole((object(),), 0, 2, ID).failures == ((0, message), (1, message))
    encoded = encode_whole((object(),), 0, 2, ID, [1, 4])
    assert encoded == Encoded(b"", 0, 0, 0, ((1, message), (4, message)))


def test_a_value_that_contains_itself_fails_its_sample() -> None:
    value: list[Any] = []
    value.append(value)
    encoded = encode_each([value, 1], 0, ID)
    assert encoded.failures == ((0, "prediction is nested too deeply, or contains itself"),)
    assert encoded.count == 1


def test_an_integer_longer_than_python_writes_fails_its_sample() -> None:
    encoded = encode_each([1, 10**5000], 0, ID)
    assert encoded.failures[0][0] == 1
    assert encoded.failures[0][1].startswith("prediction cannot be written as JSON: Exceeds the limit (4300")
    assert lines(encoded)[0]["prediction"] == 1


def test_a_value_deeper_than_orjson_writes_is_written() -> None:
    value: list[Any] = []
    for _ in range(400):
        value = [value]
    assert lines(encode_each([value], 0, ID))[0]["prediction"] == value


def test_booleans_are_no_integers() -> None:
    assert [line["prediction"] for line in lines(encode_each([True, 1], 0, ID))] == [True, 1]
    assert b'"prediction":true}' in encode_each([True], 0, ID).lines


def test_no_predictions_are_no_lines() -> None:
    assert encode_each([], 0, ID) == Encoded(b"", 0, 0)
