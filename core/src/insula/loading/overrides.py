"""Configuration given twice: deep merging, and `key=value` from a command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insula.documents import parse_value
from insula.errors import Fault, SpecError


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid over it: mappings are merged at every depth, all else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def parse_overrides(overrides: Sequence[str], option: str = "--config") -> dict[str, Any]:
    """Return what options such as `a.b=1` say, a dot in a key leading one level down.

    Args:
        overrides: each `key=value`, the value in JSON or YAML (`1`, `true`, `text`, `[1, 2]`, `{a: 1}`).
        option: what messages call them.

    Raises:
        SpecError: with every fault of them.
    """
    made: dict[str, Any] = {}
    faults: list[Fault] = []
    for override in overrides:
        try:
            made = _lay(made, *_parse(override, option))
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(faults, option)
    return made


def _parse(override: str, option: str) -> tuple[list[str], Any]:
    key, equals, text = override.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise SpecError([Fault(f"expected key=value, with dots between the parts of a key, found {override[:60]!r}")])
    try:
        return steps, parse_value(text, option)
    except SpecError as error:
        raise SpecError([Fault(fault.message, tuple(steps)) for fault in error.faults]) from error


def _lay(made: dict[str, Any], steps: list[str], value: Any) -> dict[str, Any]:
    below = made
    for depth, step in enumerate(steps[:-1], start=1):
        below = below.get(step, {})
        if not isinstance(below, dict):
            raise SpecError([Fault("given both as a value and as a mapping", tuple(steps[:depth]))])
    if isinstance(below.get(steps[-1]), dict) and not isinstance(value, dict):
        raise SpecError([Fault("given both as a value and as a mapping", tuple(steps))])
    for step in reversed(steps):
        value = {step: value}
    return merge(made, value)
