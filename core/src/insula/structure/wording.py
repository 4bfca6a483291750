"""How faults are worded: in the words of someone who writes YAML or JSON, not Python."""

from __future__ import annotations

import enum
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import attrs

_LONGEST = 60
_SCALARS = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    Path: "a path",
}


def nearest(word: object, words: Iterable[str]) -> str | None:
    """The one of `words` that the user most likely meant by `word`; None if none is near."""
    import difflib

    by_folded = {known.casefold(): known for known in words}
    found = difflib.get_close_matches(str(word)[:200].casefold(), by_folded, n=1, cutoff=0.65)
    return by_folded[found[0]] if found else None


def did_you_mean(word: object, words: Iterable[str]) -> str:
    """What to say after "unknown …": the nearest of `words`, or all of them if none is near."""
    known = sorted(set(words))
    near = nearest(word, known)
    if near is not None:
        return f"did you mean {near}?"
    return f"known: {', '.join(known)}" if known else "there are none"


def quoted(value: object) -> str:
    """A value on one line of bounded length, as JSON writes it."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
        text = text if text.isprintable() else json.dumps(value, default=repr)
    except (ValueError, TypeError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 2] + " …"


def found(value: object) -> str:
    """What stands in the document."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    if isinstance(value, int):
        # Python refuses to write integers of many thousand digits.
        return f"the integer {value}" if value.bit_length() < 200 else "a very large integer"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"


def expected(kind: Any) -> str:
    """What should stand there, for a type of a spec class."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return _one_of(typing.get_args(kind))
    if origin in (typing.Union, types.UnionType):
        return _either([expected(member) for member in typing.get_args(kind)])
    return _expected_class(origin or kind)


def _expected_class(cls: Any) -> str:
    if not isinstance(cls, type):
        return "something else"
    if issubclass(cls, enum.Enum):
        return _one_of([member.value for member in cls])
    if attrs.has(cls) or issubclass(cls, Mapping):
        return "a mapping"
    return "a list" if issubclass(cls, (Sequence, Set)) else f"a {cls.__name__}"


def _one_of(values: Sequence[object]) -> str:
    return _either([quoted(value) for value in values])


def _either(words: Sequence[str]) -> str:
    unique = list(dict.fromkeys(words))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def mismatch(value: object, kind: Any) -> str:
    """The message for a value of the wrong type, with a hint where quotes are the reason."""
    return f"expected {expected(kind)}, found {found(value)}{_hint(value, kind)}"


def _hint(value: object, kind: Any) -> str:
    members = typing.get_args(kind) or (kind,)
    number = int in members or float in members
    if str in members and not number and isinstance(value, (bool, int, float)):
        return "; put it in quotes"
    if number and isinstance(value, str) and value.isascii() and value.isdigit():
        return "; write it without quotes"
    return ""
