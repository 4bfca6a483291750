"""The one cattrs converter.

cattrs finds the hook for a type, a plugin's included; the hooks are insula's own, because cattrs' coerce
scalars, and because each fault must keep its own text and its path.
"""

from __future__ import annotations

import enum
import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from insula.errors import Fault, PluginError, SpecError
from insula.structure.fields import REFUSALS, fields_of, own_faults, refusal
from insula.structure.wording import did_you_mean, expected, found, mismatch, nearest

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
Step = str | int
Hook = Callable[[Any, Any], Any]


class _Refused(Exception):
    """Faults on the way up to the root; their paths grow as they rise."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)


def structure(data: Any, cls: type[T], path: tuple[Step, ...] = ()) -> T:
    """Make a `cls` of plain data: scalars are strict, unknown keys are refused.

    Args:
        data: what a YAML or JSON document holds.
        cls: an attrs class, or any type that a field of one may have.
        path: where `data` stands in its document.

    Raises:
        SpecError: with every fault of `data`, each at its path.
    """
    try:
        return typing.cast("T", _structure(data, cls))
    except _Refused as refused:
        raise SpecError(_under(refused.faults, *path)) from None


def _structure(value: Any, kind: Any) -> Any:
    from cattrs import BaseValidationError, transform_error

    try:
        return _converter().structure(value, kind)
    except BaseValidationError as error:
        # A kind that insula has no hook for, a dataclass of a plugin, say: cattrs' own words are good enough.
        raise _Refused([Fault(text) for text in transform_error(error)]) from error
    except PluginError:
        raise
    except REFUSALS as error:
        raise _Refused([Fault(refusal(error))]) from error


@functools.cache
def _converter() -> Converter:
    from cattrs import Converter

    converter = Converter()
    for kind, hook in _SCALARS:
        converter.register_structure_hook(kind, hook)
    for origins, hook in _CONTAINERS:
        converter.register_structure_hook_func(_has_origin(*origins), hook)
    converter.register_structure_hook_func(_is_attrs_class, _attrs_class)
    return converter


def _is_attrs_class(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind)


def _has_origin(*origins: Any) -> Callable[[Any], bool]:
    return lambda kind: (typing.get_origin(kind) or kind) in origins


def _under(faults: Iterable[Fault], *steps: Step) -> list[Fault]:
    return [attrs.evolve(fault, path=(*steps, *fault.path)) for fault in faults]


def _wrong(value: Any, kind: Any) -> _Refused:
    return _Refused([Fault(mismatch(value, kind))])


# ------------------------------------------------------------------------------------ scalars


def _scalar(value: Any, kind: Any) -> Any:
    if issubclass(kind, enum.Enum):
        return _enum(value, kind)
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise _Refused([Fault(f"expected a number, found {found(value)}")]) from None
    raise _wrong(value, kind)


def _anything(value: Any, kind: Any) -> Any:
    return value


def _null(value: Any, kind: Any) -> None:
    if value is not None:
        raise _wrong(value, type(None))


def _path(value: Any, kind: Any) -> Path:
    if not isinstance(value, str):
        raise _wrong(value, Path)
    return Path(value)


def _enum(value: Any, kind: Any) -> Any:
    for member in kind:
        if type(member.value) is type(value) and member.value == value:
            return member
    raise _not_allowed(value, kind, [member.value for member in kind])


def _literal(value: Any, kind: Any) -> Any:
    allowed = typing.get_args(kind)
    if any(type(value) is type(one) and value == one for one in allowed):
        return value
    raise _not_allowed(value, kind, allowed)


def _not_allowed(value: Any, kind: Any, allowed: Sequence[Any]) -> _Refused:
    words = [one for one in allowed if isinstance(one, str)]
    hint = did_you_mean(value, words) if isinstance(value, str) else ""
    hint = f"; {hint}" if hint.startswith("did") else ""
    return _Refused([Fault(f"expected {expected(kind)}, found {found(value)}{hint}")])


# ------------------------------------------------------------------------------------ containers


def _items(value: Any, kind: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, kind)
    (item, *_) = typing.get_args(kind) or (Any,)
    if item in (Any, object):
        # A submission may carry a million items, of any kind.
        return list(value)
    return _collect((index, one, item) for index, one in enumerate(value))


def _collect(entries: Iterable[tuple[Step, Any, Any]]) -> list[Any]:
    made: list[Any] = []
    faults: list[Fault] = []
    for step, value, kind in entries:
        try:
            made.append(_structure(value, kind))
        except _Refused as refused:
            faults += _under(refused.faults, step)
    if faults:
        raise _Refused(faults)
    return made


def _tuple(value: Any, kind: Any) -> tuple[Any, ...]:
    kinds = typing.get_args(kind)
    if not kinds or kinds[-1] is Ellipsis or typing.get_origin(kind) is not tuple:
        return tuple(_items(value, kind))
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, kind)
    if len(value) != len(kinds):
        raise _Refused([Fault(f"expected a list of {len(kinds)}, found one of {len(value)}")])
    return tuple(_collect((index, one, kinds[index]) for index, one in enumerate(value)))


def _set(value: Any, kind: Any) -> set[Any] | frozenset[Any]:
    items = _items(value, kind)
    try:
        return (typing.get_origin(kind) or kind)(items) if _is_concrete(kind) else frozenset(items)
    except TypeError:
        raise _Refused([Fault("expected a list of plain values, found lists or mappings in it")]) from None


def _is_concrete(kind: Any) -> bool:
    return (typing.get_origin(kind) or kind) in (set, frozenset)


def _mapping(value: Any, kind: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(value, kind)
    key, item = typing.get_args(kind) or (Any, Any)
    keys = _collect((_step(one), one, key) for one in value)
    if item in (Any, object):
        return dict(zip(keys, value.values(), strict=True))
    return dict(zip(keys, _collect((_step(one), value[one], item) for one in value), strict=True))


def _step(key: Any) -> Step:
    return key if isinstance(key, str) else str(key)


# ------------------------------------------------------------------------------------ unions and classes


def _union(value: Any, kind: Any) -> Any:
    members = typing.get_args(kind)
    if value is None and type(None) in members:
        return None
    refused = []
    # The member of the value's own type is asked first: 1 is an int where both int and float would do.
    for member in sorted(members, key=lambda member: member is not type(value)):
        try:
            return _structure(value, member)
        except _Refused as error:
            refused.append(error)
    inside = [error for error in refused if any(fault.path for fault in error.faults)]
    # A member of the right shape knows best what is wrong inside; the one with the fewest faults was meant.
    raise min(inside, key=lambda error: len(error.faults)) if inside else _only_member(refused, value, kind)


def _only_member(refused: Sequence[_Refused], value: Any, kind: Any) -> _Refused:
    # `str | None`: what a string may be says more than "a string or null".
    told = [error for error in refused if not error.faults[0].message.startswith("expected null")]
    return told[0] if len(told) == 1 else _wrong(value, kind)


def _attrs_class(value: Any, cls: Any) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(value, cls)
    arguments, faults = _arguments(value, cls)
    if not faults:
        try:
            return cls(**arguments)
        except REFUSALS as error:
            raise _Refused(own_faults(cls, arguments) or [Fault(refusal(error))]) from error
    raise _Refused([*faults, *own_faults(cls, arguments)])


def _arguments(value: Mapping[Any, Any], cls: type) -> tuple[dict[str, Any], list[Fault]]:
    fields = {field.key: field for field in fields_of(cls)}
    unknown = [key for key in value if key not in fields]
    faults = [Fault(f"unknown key; {did_you_mean(key, fields)}", (_step(key),)) for key in unknown]
    # A key that is misspelt is told once, not also as missing under its right name.
    meant = {nearest(key, fields) for key in unknown}
    arguments: dict[str, Any] = {}
    for key, field in fields.items():
        if key not in value:
            missing = field.required and key not in meant
            faults += [Fault(f"missing: expected {expected(field.type)}", (key,))] if missing else []
            continue
        try:
            arguments[key] = _structure(value[key], field.type)
        except _Refused as refused:
            faults += _under(refused.faults, key)
    return arguments, faults


# singledispatch: these serve their subclasses too.
_SCALARS: tuple[tuple[Any, Hook], ...] = (
    (str, _scalar),
    (int, _scalar),
    (float, _scalar),
    (bool, _scalar),
    (Path, _path),
    (enum.Enum, _enum),
)

_CONTAINERS: tuple[tuple[tuple[Any, ...], Hook], ...] = (
    ((Any, object), _anything),
    ((None, type(None)), _null),
    ((list,), _items),
    ((tuple, Sequence, Iterable), _tuple),
    ((set, frozenset, Set), _set),
    ((dict, Mapping), _mapping),
    ((typing.Union, types.UnionType), _union),
    ((typing.Literal,), _literal),
)
