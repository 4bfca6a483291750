"""Making of any value what JSON can hold, or saying which part of it JSON cannot."""

from __future__ import annotations

import base64
import datetime
import enum
from collections.abc import Iterable, Mapping, Sequence, Set
from math import isfinite
from typing import Any

from insula.worker.frameworks import kind_of, to_python


class NotJsonableError(TypeError):
    """A value that JSON cannot hold; the text names its type and the path to it."""


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

    Args:
        value: any value.
        name: what the path to a part that JSON cannot hold begins with.

    Attributes:
        plain: the value; NaN and infinities are None.
        non_finite: how many of these there were.

    Raises:
        NotJsonableError: if a part cannot be written.
    """

    def __init__(self, value: Any, name: str = "prediction") -> None:
        self.non_finite = 0
        try:
            self.plain = self._plain(value, name)
        except RecursionError as error:
            raise NotJsonableError(f"{name} is nested too deeply, or contains itself") from error

    def _plain(self, value: Any, path: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return self._plain(value.value, path)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return self._finite(float(value))
        if isinstance(value, dict):
            return {
                self._key(key, path): self._plain(part, f"{path}[{key!r}]") for key, part in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._plain(part, f"{path}[{position}]") for position, part in enumerate(value)]
        return self._plain(self._simplified(value, path), path)

    def _finite(self, value: float) -> float | None:
        if isfinite(value):
            return value
        self.non_finite += 1
        return None

    def _simplified(self, value: Any, path: str) -> Any:
        try:
            return simplify(value)
        except RecursionError:
            raise
        except Exception as error:
            raise NotJsonableError(
                f"{path} is a {type(value).__qualname__}, which JSON cannot hold"
            ) from error

    def _key(self, key: Any, path: str) -> str:
        plain = self._plain(key, f"a key of {path}")
        if isinstance(plain, str):
            return plain
        if plain is None or isinstance(plain, bool):
            return {None: "null", True: "true", False: "false"}[plain]
        if isinstance(plain, (int, float)):
            return str(plain)
        raise NotJsonableError(
            f"a key of {path} is a {type(key).__qualname__}, which JSON cannot have as a key"
        )
