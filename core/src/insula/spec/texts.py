"""Texts that the operating system is given: names of files, variables of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

_LONGEST_PATH = 4095
_LONGEST_NAME = 255


def is_passable(text: str) -> bool:
    """Return whether the operating system takes a text: it holds no NUL and no half of a surrogate pair."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def is_path(text: str) -> bool:
    """Return whether a text can be a path or URL; of a path, neither it nor a name in it may be longer than systems allow."""
    if not text or not is_passable(text):
        return False
    names = [] if "://" in text else os.fsencode(text).split(b"/")
    return len(text) <= _LONGEST_PATH and all(len(name) <= _LONGEST_NAME for name in names)


def check_path(_: object, attribute: Any, value: str | None) -> None:
    """Refuse, as a validator of attrs, what cannot be the path of a file; None and nothing are passed over.

    Raises:
        ValueError: saying so.
    """
    if value and not is_path(value):
        raise ValueError(f"{value[:60]!r} is not a path")


def check_environment(_: object, attribute: Any, value: Mapping[str, str]) -> None:
    """Refuse, as a validator of attrs, variables that no environment can hold.

    Raises:
        ValueError: naming the first of them.
    """
    for name, text in value.items():
        if not name or "=" in name or not is_passable(name):
            raise ValueError(
                f"{name[:60]!r} cannot be the name of a variable: it must hold a character, and no = or NUL"
            )
        if not is_passable(text):
            raise ValueError(f"{name}: a value cannot hold a NUL character or half a surrogate pair")
