from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.spec.quantities import cpu, mem


@pytest.mark.parametrize(
    "value, cores",
    [("200m", 0.2), (0.2, 0.2), (1, 1.0), ("1", 1.0), ("0.5", 0.5), (".5", 0.5), (" 2 ", 2.0), ("1e1", 10.0)],
)
def test_cpu(value: Any, cores: float) -> None:
    assert cpu(value) == cores
    assert type(cpu(value)) is float


@pytest.mark.parametrize(
    "value, size",
    [
        ("512Mi", 512 << 20),
        ("1G", 10**9),
        ("1Gi", 1 << 30),
        ("1.5Gi", 3 << 29),
        ("129e6", 129_000_000),
        (129e6, 129_000_000),
        ("1E", 10**18),
        ("1k", 1000),
        ("1K", 1000),
        ("1Ki", 1024),
        ("128974848000m", 128_974_848),
        (536_870_912, 536_870_912),
        ("0.5", 1),
    ],
)
def test_mem(value: Any, size: int) -> None:
    assert mem(value) == size
    assert type(mem(value)) is int


@pytest.mark.parametrize(
    "value, words",
    [
        ("0", ["over 0"]),
        (-1, ["-1", "over 0"]),
        (True, ["true", "200m"]),
        (None, ["null"]),
        ([1], ["a list"]),
        ({}, ["a mapping"]),
        ("", ["''"]),
        ("1k", ["unit k"]),
        ("200M", ["did you mean 200m?"]),
        ("nan", ["'nan'"]),
        (float("inf"), ["inf"]),
        ("1e9999999999", ["over 0"]),
        ("1e-9999999999", ["over 0"]),
        pytest.param(10**5000, ["that large"], id="huge"),
        ("9" * 5000, ["…"]),
    ],
)
def test_what_is_no_share_of_cores(value: Any, words: list[str]) -> None:
    with pytest.raises(ValueError, match=".*".join(map(re.escape, words))) as raised:
        cpu(value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "value, words",
    [
        ("512MB", ["unit MB", "did you mean 512M?"]),
        ("512mi", ["did you mean 512Mi?"]),
        ("512mb", ["did you mean 512M?"]),
        ("1Z", ["unit Z"]),
        ("1 G", ["1 G"]),
        (0, ["over 0"]),
        ("8Ei", ["under 8Ei"]),
        ("-1G", ["over 0"]),
        (False, ["false"]),
        ("١", ["512Mi"]),
    ],
)
def test_what_is_no_size(value: Any, words: list[str]) -> None:
    with pytest.raises(ValueError, match=".*".join(map(re.escape, words))) as raised:
        mem(value)
    assert len(str(raised.value)) < 200


@given(st.text() | st.integers() | st.floats() | st.from_regex(r"-?[0-9.]*(e-?[0-9]+)?[a-zA-Z]{0,2}", fullmatch=True))
def test_anything_is_a_quantity_or_refused(value: Any) -> None:
    for parse in (cpu, mem):
        with suppress(ValueError):
            assert parse(value) > 0
