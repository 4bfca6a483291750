from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import ipaddress
import json
import socket
import types
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest

from insula.worker.jsonable import NotJsonableError, Writable, simplify


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Box:
    label: str
    corner: tuple[int, ...] = (1, 2)
    _secret: int = 0


@dataclasses.dataclass
class Slotted:
    __slots__ = ("x",)
    x: int


@attrs.frozen
class Frozen:
    x: Any
    y: Any = None
    _hidden: int = 0


Pair = collections.namedtuple("Pair", "a b")


class Text(str):
    __slots__ = ()


class Half(float):
    __slots__ = ()


ZONE = datetime.timezone(datetime.timedelta(hours=2))
CASES: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (1, 1),
    (0.5, 0.5),
    ("é\n\u2028", "é\n\u2028"),
    (Text("a"), "a"),
    (Half(0.5), 0.5),
    ([1, (2, [3])], [1, [2, [3]]]),
    (Pair(1, 2), [1, 2]),
    ({"a": {"b": 1}}, {"a": {"b": 1}}),
    (collections.OrderedDict(a=1), {"a": 1}),
    (collections.deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    ({"a": 1}.keys(), ["a"]),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset("ba"), ["a", "b"]),
    ({1: "a", 2.5: "b", None: "d"}, {"1": "a", "2.5": "b", "null": "d"}),
    ({False: 1}, {"false": 1}),
    ({Colour.RED: 1}, {"red": 1}),
    ({datetime.date(2026, 1, 2): 1}, {"2026-01-02": 1}),
    ({uuid.UUID(int=1): 1}, {"00000000-0000-0000-0000-000000000001": 1}),
    (b"\x00\xff", "AP8="),
    (bytearray(b"a"), "YQ=="),
    (memoryview(b"a"), "YQ=="),
    (datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=ZONE), "2026-01-02T03:04:05.000006+02:00"),
    (datetime.datetime.fromisoformat("2026-01-02"), "2026-01-02T00:00:00"),
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (datetime.time(3, 4), "03:04:00"),
    (datetime.time(3, 4, tzinfo=ZONE), "03:04:00+02:00"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.10"), "1.10"),
    (Path("a/b"), "a/b"),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Box("a"), {"label": "a", "corner": [1, 2]}),
    (Slotted(1), {"x": 1}),
    (Frozen({1}, Frozen(2)), {"x": [1], "y": {"x": 2, "y": None}}),
]


@pytest.mark.parametrize("value, plain", CASES, ids=lambda it: type(it).__name__)
def test_a_value_is_written_without_help_and_alike_in_both_ways(value: Any, plain: Any) -> None:
    writable = Writable(value)
    assert (writable.plain, writable.non_finite) == (plain, 0)
    assert json.loads(json.dumps(writable.plain, allow_nan=False)) == plain
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    try:
        quick = orjson.dumps(value, simplify, options)
    except TypeError:
        return  # only the walk can write it
    assert json.loads(quick) == plain


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    "value, plain, count",
    [
        (nan, None, 1),
        ([inf, -inf, 1.0, None], [None, None, 1.0, None], 2),
        ({"a": {"b": (nan,)}}, {"a": {"b": [None]}}, 1),
        (Frozen(nan, [inf]), {"x": None, "y": [None]}, 2),
        (Box("a", (nan,)), {"label": "a", "corner": [None]}, 1),  # type: ignore[arg-type]
    ],
)
def test_nan_and_infinities_are_null_and_counted(value: Any, plain: Any, count: int) -> None:
    writable = Writable(value)
    assert (writable.plain, writable.non_finite) == (plain, count)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value, message",
    [
        (object(), "prediction is an object, which JSON cannot hold"),
        ({"a": [0, 1, 2, socket.socket]}, 'prediction["a"][3] is a type, which JSON cannot hold'),
        ([{"x y": 1j}], 'prediction[0]["x y"] is a complex, which JSON cannot hold'),
        ({1: ipaddress.ip_address("::1")}, "prediction[1] is an IPv6Address, which JSON cannot hold"),
        (
            Frozen(1, {"k": len}),
            'prediction["y"]["k"] is a builtin_function_or_method, which JSON cannot hold',
        ),
        ({"a": {(1, 2): 3}}, 'a key of prediction["a"] is a tuple, which JSON cannot have as a key'),
        ({object(): 3}, "a key of prediction is an object, which JSON cannot have as a key"),
        (nested(100_000), "prediction is nested too deeply, or contains itself"),
    ],
)
def test_what_json_cannot_hold_is_named_with_its_path(value: Any, message: str) -> None:
    with pytest.raises(NotJsonableError) as caught:
        Writable(value)
    assert str(caught.value) == message
