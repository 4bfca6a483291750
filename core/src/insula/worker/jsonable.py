"""Making of any value what JSON can hold, or saying which part of it JSON cannot."""

from __future__ import annotations

import base64
import datetime
import enum
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from math import isfinite
from typing import Any

from insula.worker.frameworks import kind_of, to_python


class NotJsonableError(TypeError):
    """A value that JSON cannot hold: its text names the type and the path to it, such as `prediction["a"][3]`."""

    def __init__(self, fault: str, subject: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.subject = subject
        self.steps: list[str] = []

    def within(self, step: Any) -> None:
        """Put one more step in front of the path."""
        self.steps.append(f"[{json.dumps(step, ensure_ascii=False) if isinstance(step, str) else repr(step)}]")

    def __str__(self) -> str:
        return f"{self.subject}prediction{''.join(reversed(self.steps))} {self.fault}"


def simplify(value: Any) -> Any:
    """Return what stands in JSON for a value that is of no JSON type: one step, parts of the answer may need another.

    Also what orjson calls for values that it does not know.

    Raises:
        TypeError: if nothing does.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return None if type(value).__name__ == "NaTType" else value.isoformat()
    if isinstance(value, Set):
        return _ordered(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    kind = kind_of(value)
    return to_python(value, kind) if kind else _simplify_object(value)


def _ordered(values: Iterable[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return list(values)


def _simplify_object(value: Any) -> Any:
    import os
    from decimal import Decimal
    from uuid import UUID

    kind = type(value)
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    names = getattr(kind, "__dataclass_fields__", None) or [
        field.name for field in getattr(kind, "__attrs_attrs__", ())
    ]
    if names:
        return {name: getattr(value, name) for name in names if not name.startswith("_")}
    if kind.__module__.partition(".")[0] == "numpy" and hasattr(value, "item"):
        return _simplify_scalar(value)
    if kind.__name__ == "NAType":
        return None
    raise TypeError(f"a {kind.__qualname__} is nothing that JSON can hold")


def _simplify_scalar(value: Any) -> Any:
    if value.dtype.kind == "M":
        value = value.astype("datetime64[us]")
    item = value.item()
    return float(item) if value.dtype.kind == "f" else item


class Writable:
    """A value as plain JSON types, made by one walk.

    Attributes:
        plain: the value; NaN and infinities are None.
        non_finite: how many of these there were.

    Raises:
        NotJsonableError: if a part cannot be written.
    """

    def __init__(self, value: Any) -> None:
        self.non_finite = 0
        try:
            self.plain = self._plain(value)
        except RecursionError as error:
            raise NotJsonableError("is nested too deeply, or contains itself") from error

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return self._plain(value.value)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return self._finite(float(value))
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, (list, tuple)):
            return self._list(value)
        return self._plain(_simplified(value))

    def _finite(self, value: float) -> float | None:
        if isfinite(value):
            return value
        self.non_finite += 1
        return None

    def _list(self, values: Sequence[Any]) -> list[Any]:
        plain: list[Any] = []
        try:
            for value in values:
                plain.append(self._plain(value))  # noqa: PERF401 - its length is the position of a fault
        except NotJsonableError as error:
            error.within(len(plain))
            raise
        return plain

    def _dict(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, value in values.items():
            name = key if type(key) is str else self._key(key)
            try:
                plain[name] = self._plain(value)
            except NotJsonableError as error:
                error.within(key)
                raise
        return plain

    def _key(self, key: Any) -> str:
        try:
            plain = self._plain(key)
        except NotJsonableError:
            plain = ()
        if isinstance(plain, str):
            return plain
        if plain is None or isinstance(plain, bool):
            return {None: "null", True: "true", False: "false"}[plain]
        if isinstance(plain, (int, float)):
            return str(plain)
        raise NotJsonableError(f"is {_a(key)}, which JSON cannot have as a key", "a key of ")


def _simplified(value: Any) -> Any:
    try:
        return simplify(value)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 - a framework's conversion may raise anything
        raise NotJsonableError(f"is {_a(value)}, which JSON cannot hold") from error


def _a(value: Any) -> str:
    name = type(value).__qualname__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
