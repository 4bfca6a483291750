"""What one plugin says of itself, held against the name under which it is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from insula.descriptors import ExecutorType, HardwareTarget, PredictorType, Source
from insula.errors import PluginError
from insula.hooks import Hooks
from insula.plugins.reference import ROLES, Reference
from insula.plugins.registering import compose

Answer = TypeVar("Answer")


def predictor_type(reference: Reference, plugin: object) -> PredictorType:
    """Ask a plugin for its predictor type.

    Raises:
        PluginError: if it does not answer, or with something that does not fit its name.
    """
    answer = _ask(reference, plugin, Hooks.predictor_type)
    _check_name(reference, "name", (answer.name,))
    _fields(reference, answer.settings)
    return answer


def hardware_target(reference: Reference, plugin: object) -> HardwareTarget:
    """Ask a plugin for its hardware target.

    Raises:
        PluginError: if it does not answer, or with something that does not fit its name.
    """
    answer = _ask(reference, plugin, Hooks.hardware_target)
    _check_name(reference, "keys", answer.keys)
    fields = _fields(reference, answer.settings)
    if {field.name for field in fields} != set(answer.keys):
        raise _fault(reference, f"its settings must have the attributes {', '.join(answer.keys)}, as its keys say")
    for field in fields:
        if field.default is attrs.NOTHING:
            raise _fault(reference, f"its setting {field.name} needs a default")
    return answer


def source(reference: Reference, plugin: object) -> Source:
    """Ask a plugin for its source.

    Raises:
        PluginError: if it does not answer, or with something that does not fit its name.
    """
    answer = _ask(reference, plugin, Hooks.source)
    _check_name(reference, "key", (answer.key,))
    if "batch_size" not in {field.name for field in _fields(reference, answer.settings)}:
        raise _fault(reference, "its settings need the attribute batch_size")
    return answer


def executor_type(reference: Reference, plugin: object) -> ExecutorType:
    """Ask a plugin for its executor type.

    Raises:
        PluginError: if it does not answer, or with something that does not fit its name.
    """
    answer = _ask(reference, plugin, Hooks.executor)
    _check_name(reference, "name", (answer.name,))
    return answer


def _ask(reference: Reference, plugin: object, question: Callable[[Hooks], Answer]) -> Answer:
    hooks = compose([(str(reference), plugin)])
    try:
        return question(hooks)
    except PluginError:
        raise
    except Exception as error:
        raise _fault(reference, f"raised {type(error).__name__}: {error}") from error


def _check_name(reference: Reference, attribute: str, said: Sequence[str]) -> None:
    if reference.name not in said:
        names = ", ".join(f'"{name}"' for name in said) or "nothing"
        raise _fault(reference, f'its {attribute} says {names}, and its entry point "{reference.name}"')


def _fields(reference: Reference, settings: object) -> Sequence[attrs.Attribute[object]]:
    if not isinstance(settings, type) or not attrs.has(settings):
        raise _fault(reference, f"its settings must be an attrs class, not {settings!r}")
    return tuple(attrs.fields(settings))


def _fault(reference: Reference, what: str) -> PluginError:
    return PluginError(f"{reference}: {ROLES[reference.group].descriptor}: {what}")
