"""Specs as plain data and back, for messages, ledgers and workers, which must start without cattrs.

What comes back was structured before: fields are set as they were, and neither converters nor validators run again.
"""

from __future__ import annotations

import enum
import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Set
from pathlib import Path
from typing import Any, TypeVar, cast

import attrs

T = TypeVar("T")
Restore = Callable[[Any], Any]
_SCALARS = (str, int, float, bool, type(None))
_UNIONS = (typing.Union, types.UnionType)


def to_plain(value: Any) -> Any:
    """Data that JSON can hold, of an attrs object of the specs or of a plugin's settings.

    Raises:
        TypeError: if a value has no plain form.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if attrs.has(kind):
        return {field.name: to_plain(getattr(value, field.name)) for field in attrs.fields(kind)}
    if isinstance(value, Mapping):
        return {_key(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, enum.Enum):
        return to_plain(value.value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [to_plain(item) for item in value]
    raise TypeError(f"a {kind.__qualname__} has no plain form")


def _key(key: Any) -> Any:
    plain = to_plain(key)
    if isinstance(plain, str):
        return plain
    raise TypeError(f"a key of a mapping must be a string, not a {type(key).__qualname__}")


def from_plain(cls: type[T], data: Any) -> T:
    """The object of which `to_plain` made `data`; where a field may hold anything, its data stays plain."""
    restore = _restore(cls)
    return cast("T", restore(data) if restore else data)


def _restore(kind: Any) -> Restore | None:
    """The function that restores a type; None where plain data is the value already."""
    origin = typing.get_origin(kind) or kind
    if origin is typing.Annotated:
        return _restore(typing.get_args(kind)[0])
    if origin in _UNIONS:
        return _restore_union(typing.get_args(kind))
    if not isinstance(origin, type) or origin in _SCALARS or origin is object:
        return None
    if attrs.has(origin):
        # By name at call time, so that a class may hold objects of its own class.
        return lambda data: _restore_object(origin, data)
    if issubclass(origin, Mapping):
        return _restore_values(typing.get_args(kind))
    if issubclass(origin, enum.Enum) or issubclass(origin, Path):
        return cast("Restore", origin)
    return _restore_items(origin, typing.get_args(kind)) if issubclass(origin, Iterable) else None


def _restore_object(cls: type, data: Mapping[str, Any]) -> Any:
    made: Any = object.__new__(cls)
    for name, restore in _restores(cls):
        # Past the class's own __setattr__, which frozen classes refuse and others hook.
        object.__setattr__(made, name, restore(data[name]) if restore else data[name])
    return made


@functools.cache
def _restores(cls: type) -> tuple[tuple[str, Restore | None], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((field.name, _restore(hints.get(field.name, Any))) for field in attrs.fields(cls))


def _restore_values(arguments: tuple[Any, ...]) -> Restore | None:
    restore = _restore(arguments[1]) if len(arguments) == 2 else None
    if restore is None:
        return None
    return lambda data: {key: restore(item) for key, item in data.items()}


def _restore_items(origin: type, arguments: tuple[Any, ...]) -> Restore:
    make = _container(origin)
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        restores = [_restore(argument) or _same for argument in arguments]
        return lambda data: make(restore(item) for restore, item in zip(restores, data, strict=True))
    restore = _restore(arguments[0]) if arguments else None
    if restore is None:
        return make
    return lambda data: make(restore(item) for item in data)


def _container(origin: type) -> Callable[[Iterable[Any]], Any]:
    if origin in (list, set, frozenset):
        return cast("Callable[[Iterable[Any]], Any]", origin)
    return frozenset if issubclass(origin, Set) else tuple


def _same(data: Any) -> Any:
    return data


def _restore_union(members: tuple[Any, ...]) -> Restore | None:
    restores = [(member, restore) for member in members if (restore := _restore(member)) is not None]
    if not restores:
        return None
    return lambda data: _restore_member(restores, data)


def _restore_member(restores: list[tuple[Any, Restore]], data: Any) -> Any:
    for member, restore in restores:
        if _fits(typing.get_origin(member) or member, data):
            return restore(data)
    return data


def _fits(origin: Any, data: Any) -> bool:
    if attrs.has(origin):
        return isinstance(data, Mapping) and set(data) == {field.name for field in attrs.fields(origin)}
    if issubclass(origin, Mapping):
        return isinstance(data, Mapping)
    if issubclass(origin, enum.Enum):
        return any(type(data) is type(member.value) and data == member.value for member in origin)
    return isinstance(data, str) if issubclass(origin, Path) else isinstance(data, list)
