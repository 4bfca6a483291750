"""JSON that says exactly what was meant, where orjson cannot: NaN, infinities, half surrogate pairs, integers of any size.

A text that `json` wrote begins with a blank, which orjson's never do: so each is read by what wrote it.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

_MARK = b" "


def dumps(value: Any, *, users: bool = True, option: int = 0) -> bytes:
    """Return a value as JSON.

    Args:
        users: whether there may be numbers of the user's in it; orjson writes NaN and infinities as null, in silence.
        option: of orjson.

    Raises:
        TypeError: if it has no JSON form.
    """
    try:
        text = orjson.dumps(value, option=option)
    except TypeError:
        return _dumps(value)
    if not (users and b"null" in text):
        return text
    try:
        return _dumps(value)
    except TypeError:
        return text  # it holds what only orjson writes, such as a date


def _dumps(value: Any) -> bytes:
    try:
        return _MARK + json.dumps(value).encode()
    except (ValueError, RecursionError) as error:
        raise TypeError(str(error)) from error


def loads(text: bytes) -> Any:
    """Return the value of a text that `dumps` wrote.

    Raises:
        ValueError: if it is no such text.
    """
    if text[:1] != _MARK:
        return orjson.loads(text)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
