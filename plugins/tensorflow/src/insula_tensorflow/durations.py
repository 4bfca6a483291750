"""Durations as users write them: `100ms`, `2s`, `1m30s`, or seconds."""

from __future__ import annotations

import math
import re

_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(us|µs|ms|s|m|h)", re.ASCII)


def seconds(value: str | int | float) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: if it is none, or is negative.
    """
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, bool) or not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{value} is no duration, such as 100ms, 2s or a number of seconds")
    return float(value)


def _parsed(text: str) -> float:
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ValueError(f"{text!r} is no duration, such as 100ms, 2s, 1m30s or a number of seconds")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
