"""JSON: parsed at full speed, its lines looked up only when there is a fault to report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from insula.documents.document import Document, Mark, Path
from insula.errors import Fault, SpecError

_SPACE = re.compile(r"[ \t\r\n]*")
# orjson reads integers over 64 bits as floats, in silence. Any digit becomes a 0: so they are found at the speed of memory.
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_INTEGER = b"0" * 19
_LONGEST_CHECKED = 8 << 20


def parse_json(text: str, name: str) -> Document:
    """Parse JSON; a key that stands twice in one object is a fault (in files under 8 MiB, outside of lists).

    Raises:
        SpecError: if the text is malformed.
    """
    document = Document(name, _parse(text, name), lambda path: _locate(text, path))
    faults = list(_duplicates(text, 0, ())) if len(text) <= _LONGEST_CHECKED else []
    if faults:
        raise document.error(faults)
    return document


def _parse(text: str, name: str) -> Any:
    raw = text.encode()
    if _LONG_INTEGER not in raw.translate(_DIGITS):
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            # The standard library reads what orjson refuses (NaN, lone surrogates), or says where the fault is.
            pass
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError([Fault(_message(error), line=error.lineno, column=error.colno)], name) from error
    except RecursionError as error:
        raise SpecError([Fault("the document is nested too deeply")], name) from error
    except ValueError as error:
        raise SpecError([Fault(f"not readable as JSON: {error}")], name) from error


def _message(error: json.JSONDecodeError) -> str:
    return f"not valid JSON: {_what(error)}"


def _what(error: json.JSONDecodeError) -> str:
    here, before = error.doc[error.pos : error.pos + 1], error.doc[max(0, error.pos - 200) : error.pos].rstrip()
    if before.endswith(",") and here in ("]", "}"):
        return f"the comma before this {here} is one too many"
    if here == "'":
        return "strings and names are written in double quotes, not in single ones"
    if error.msg == "Extra data":
        return "extra data behind the end of the document"
    return f"{error.msg[:1].lower()}{error.msg[1:]}"


def _mark(text: str, at: int) -> Mark:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _end(text: str, at: int) -> int:
    return json.JSONDecoder().raw_decode(text, at)[1]


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Key, its position and its value's, of each member of the valid object that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, end = json.decoder.scanstring(text, at + 1)  # type: ignore[attr-defined]
        value = _skip(text, _skip(text, end) + 1)
        yield key, at, value
        at = _skip(text, _end(text, value))
        at = _skip(text, at + 1) if text[at] == "," else at


def _entries(text: str, at: int) -> Iterator[int]:
    """The position of each entry of the valid list that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        yield at
        at = _skip(text, _end(text, at))
        at = _skip(text, at + 1) if text[at] == "," else at


def _locate(text: str, path: Path) -> Mark | None:
    at = shown = _skip(text, 0)
    for step in path:
        found = _step(text, at, step)
        if found is None:
            return None
        shown, at = found
    return _mark(text, shown)


def _step(text: str, at: int, step: str | int) -> tuple[int, int] | None:
    """Where a message should point for one step of a path, and where the value stands."""
    if text[at] == "{":
        return next(((key_at, value) for key, key_at, value in _members(text, at) if key == step), None)
    if text[at] == "[" and isinstance(step, int):
        return next(((entry, entry) for index, entry in enumerate(_entries(text, at)) if index == step), None)
    return None


def _duplicates(text: str, at: int, path: Path) -> Iterator[Fault]:
    at = _skip(text, at)
    if text[at] != "{":
        return
    seen: set[str] = set()
    for key, key_at, value in _members(text, at):
        if key in seen:
            line, column = _mark(text, key_at)
            yield Fault("this key stands here a second time", (*path, key), line, column)
        seen.add(key)
        yield from _duplicates(text, value, (*path, key))
