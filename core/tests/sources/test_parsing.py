"""Parsing, against json line by line."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.sources import parsing
from insula.sources.parsing import may_hold_long_integers, parse

MARK = b"\xef\xbb\xbf"


def same(left: Any, right: Any) -> bool:
    """Equal in type and value, NaN included."""
    return repr(left) == repr(right)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.text(st.characters(categories=["Cs"]), max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
json_line = st.builds(lambda value, ascii_: json.dumps(value, ensure_ascii=ascii_), values, st.booleans()).map(
    lambda text: text.encode(errors="surrogatepass")
)
broken_line = st.sampled_from(
    [
        b'{"a":[{}',
        b"{}]},{}",
        b"1,2",
        b"1 2",
        b"[1",
        b"2]",
        b'"a',
        b'b"',
        b"\xff",
        b'"\xff"',
        b"nul",
        b"],[",
        b"}",
    ]
)
any_line = json_line | broken_line | st.binary(max_size=20).map(lambda data: data.replace(b"\n", b""))


def expected(line: bytes) -> Any:
    try:
        return [json.loads(line.strip().decode())]
    except (ValueError, RecursionError):
        return None


@given(st.lists(any_line, max_size=6) | st.lists(json_line, max_size=6), st.booleans())
def test_any_lines_are_read_as_json_reads_each(lines: list[bytes], newline: bool) -> None:
    data = b"\n".join(lines) + b"\n" * newline
    kept = [line.strip() for line in data.split(b"\n") if line.strip()]
    payload = parse(data, len(kept))
    wanted = [(at, value[0]) for at, line in enumerate(kept) if (value := expected(line)) is not None]
    positions = range(len(payload.samples)) if payload.positions is None else payload.positions
    assert same(list(zip(positions, payload.samples, strict=True)), wanted)
    assert [bad.position for bad in payload.unreadable] == sorted(set(range(len(kept))) - set(positions))
    assert [bad.raw for bad in payload.unreadable] == [kept[bad.position] for bad in payload.unreadable]


@given(st.lists(json_line, min_size=1, max_size=6))
def test_raw_lines_are_strict_json_of_the_samples(lines: list[bytes]) -> None:
    payload = parse(b"\n".join(lines), len(lines))
    assert payload.raw is not None
    assert len(payload.raw) == len(payload.samples)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    for raw, sample in zip(payload.raw, payload.samples, strict=True):
        assert b"\n" not in raw
        again = json.loads(raw, parse_constant=refuse)
        if not any(word in repr(sample) for word in ("nan", "inf")):
            assert same(again, sample)


def test_samples_that_are_valid_only_together_are_unreadable() -> None:
    payload = parse(b'{"a":[{}\n{}]},{}\n', 2)
    assert payload.samples == []
    assert [bad.raw for bad in payload.unreadable] == [b'{"a":[{}', b"{}]},{}"]
    assert parse(b"1],[2\n[[3\n4]]\n", 3).samples == []


def test_the_separator_is_no_way_in() -> None:
    key = parsing._KEY.encode()
    line = b'1,"' + key + b'",2'  # what only somebody who knows the key could write
    assert parse(line + b"\n", 1).samples == []


@pytest.mark.parametrize(
    "line, error",
    [
        (b"{", "not JSON: Expecting property name enclosed in double quotes at position 2"),
        (b'{"a": 01}', "not JSON: Expecting ',' delimiter at position 8"),
        (b"hello", "not JSON: Expecting value at position 1"),
        (b'"a\xffb"', "not UTF-8: byte 0xff at position 3"),
        (b"[" * 200_000, "not readable: nested too deeply"),
        (b"9" * 5000, "not readable: Exceeds the limit (4300"),
    ],
)
def test_an_unreadable_line_says_why(line: bytes, error: str) -> None:
    payload = parse(b"1\n" + line + b"\n2\n", 3)
    assert payload.samples == [1, 2]
    assert payload.positions == [0, 2]
    assert payload.raw == [b"1", b"2"]
    (bad,) = payload.unreadable
    assert bad.position == 1
    assert bad.error.startswith(error)


@pytest.mark.parametrize(
    "text",
    [
        "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809",
        "9999999999999999999", "-9999999999999999999", "1" + "0" * 40, "[1,123456789012345678901]",
        '{"a":-123456789012345678901}', "0.00012345678901234567890", "12345678901234567890.5", "1234567890123456789012e3",
        '"12345678901234567890123"', "1e400", "-1e400", "NaN", "[Infinity,-Infinity]", '"\\ud800"',
    ],
)  # fmt: skip
def test_what_orjson_refuses_or_rounds_is_read_exactly(text: str) -> None:
    wanted = json.loads(text)
    for lines in (text, f'{{"a":1}}\n{text}\n', f"{text}\n{text}\n"):
        payload = parse(lines.encode(), len(lines.splitlines()))
        assert payload.unreadable == ()
        assert same(payload.samples[-1], wanted)


def test_crlf_blanks_and_a_missing_newline_do_not_matter() -> None:
    for data in (b"1\n2\n", b"1\r\n2\r\n", b"1\n2", b"\n1\n \n\n2\n\t\n", b" 1 \n\t2\r"):
        payload = parse(data, 2)
        assert (payload.samples, payload.positions) == ([1, 2], None)
        assert list(payload.raw or []) == [b"1", b"2"]


def test_a_byte_order_mark_is_for_the_splitter_to_pass_over() -> None:
    # Else it would depend on the size of batches whether one in the middle of a file can be read.
    payload = parse(MARK + b"1\n2", 2)
    assert (payload.samples, [bad.position for bad in payload.unreadable]) == ([2], [0])


def test_a_wrong_count_changes_nothing() -> None:
    for count in (0, 1, 3):
        assert parse(b"1\n2\n", count).samples == [1, 2]
    assert parse(b"\n", 0).samples == []


@given(st.integers(0, 40), st.integers(18, 30), st.booleans())
def test_the_quick_look_misses_no_long_integer(before: int, digits: int, negative: bool) -> None:
    number = b"-" * negative + b"9" * digits
    data = b" " * before + number + b"\n"
    if digits >= 19:
        assert may_hold_long_integers(data)
    assert same(parse(data, 1).samples, [int(number)])


def test_lines_without_long_runs_of_digits_are_not_looked_at_twice() -> None:
    data = b'{"sepal_length": 6.152, "sepal_width": 2.822, "petal_length": 4.951, "petal_width": 1.78}\n' * 1000
    assert not may_hold_long_integers(data)
    assert math.isclose(parse(data, 1000, long_integers=False).samples[999]["sepal_length"], 6.152)
