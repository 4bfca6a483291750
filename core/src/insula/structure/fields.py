"""What the classes of specs accept: their fields, and the checks of their own that they run on values."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from insula.errors import Fault, PluginError, UserError
from insula.records import frozen

REFUSALS = (ValueError, TypeError, ArithmeticError, UserError)


@frozen
class Field:
    """One argument of an attrs class: the key that a user writes and the type of what she may write."""

    attribute: Any
    key: str
    type: Any
    required: bool


@functools.cache
def fields_of(cls: type) -> tuple[Field, ...]:
    """The arguments of an attrs class, in order."""
    hints = _hints(cls)
    return tuple(
        Field(
            attribute=attribute,
            key=attribute.alias or attribute.name,
            type=_input_type(attribute, hints.get(attribute.name, Any)),
            required=attribute.default is attrs.NOTHING,
        )
        for attribute in attrs.fields(cls)
        if attribute.init
    )


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except NameError as error:
        raise PluginError(
            f"{cls.__module__}.{cls.__qualname__}: the type of a field cannot be resolved when insula runs "
            f"({error}); import it outside `if TYPE_CHECKING`"
        ) from error


def _input_type(attribute: Any, hint: Any) -> Any:
    """A converter decides what it takes: its annotation counts, not that of what it makes."""
    converter = _function(attribute.converter)
    if converter is None or isinstance(converter, type):
        return hint
    try:
        first = next(iter(inspect.signature(converter).parameters))
        return typing.get_type_hints(converter)[first]
    except (TypeError, ValueError, NameError, KeyError, StopIteration):
        return hint if converter.__module__ == "attr.converters" else Any


def _function(converter: Any) -> Any:
    return getattr(converter, "converter", converter)


def refusal(error: BaseException) -> str:
    """The text of a validator's or converter's exception; attrs' own carry more than their text."""
    if error.args and isinstance(error.args[0], str):
        return error.args[0]
    return str(error) or type(error).__name__


def own_faults(cls: type, arguments: Mapping[str, Any]) -> list[Fault]:
    """The faults that the class's own converters and validators find, each at its field.

    Args:
        arguments: by key, those that were structured; the others are at fault already or have a default.
    """
    blank: Any = object.__new__(cls)
    faults: list[Fault] = []
    for field in fields_of(cls):
        if field.key in arguments:
            faults += _check(field.key, _set, blank, field.attribute, arguments[field.key])
        elif not field.required:
            object.__setattr__(blank, field.attribute.name, _default(blank, field.attribute))
    for field in fields_of(cls):
        if field.attribute.validator and field.key in arguments and hasattr(blank, field.attribute.name):
            faults += _check(field.key, _validate, blank, field.attribute)
    return faults


def _check(key: str, step: Callable[..., None], *arguments: Any) -> list[Fault]:
    try:
        step(*arguments)
    except REFUSALS as error:
        return [Fault(refusal(error), (key,))]
    except AttributeError:
        # The validator looks at another field, which is at fault itself and so not there.
        return []
    return []


def _set(blank: object, attribute: Any, value: Any) -> None:
    converter = attribute.converter
    if converter is not None:
        beside = [(blank, "takes_self"), (attribute, "takes_field")]
        value = _function(converter)(value, *(one for one, wanted in beside if getattr(converter, wanted, False)))
    object.__setattr__(blank, attribute.name, value)


def _validate(blank: object, attribute: Any) -> None:
    attribute.validator(blank, attribute, getattr(blank, attribute.name))


def _default(blank: object, attribute: Any) -> Any:
    default = attribute.default
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return default
    return default.factory(blank) if default.takes_self else default.factory()
