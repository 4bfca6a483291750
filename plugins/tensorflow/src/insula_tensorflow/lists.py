"""Nested lists that are no array, and where they stop being one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def uneven(value: Any) -> str:
    """Say where nested lists first differ in length, such as `[1][0] has 2 elements, [0][0] has 3`."""
    level: Sequence[tuple[str, Any]] = [("", value)]
    while level:
        (first, wanted), *others = [(place, _length(one)) for place, one in level]
        for place, length in others:
            if length != wanted:
                return f"its lists differ in length: {place} {_told(length)}, {first} {_told(wanted)}"
        if wanted is None:
            break
        level = [(f"{place}[{index}]", one) for place, values in level for index, one in enumerate(values)]
    return "its lists are no array"


def _length(value: Any) -> int | None:
    if isinstance(value, (list, tuple)):
        return len(value)
    shape = getattr(value, "shape", ())
    return int(shape[0]) if shape else None


def _told(length: int | None) -> str:
    if length is None:
        return "is no list"
    return f"has {length} element{'' if length == 1 else 's'}"
