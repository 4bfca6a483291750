"""Quantities as Kubernetes writes them: shares of cores and bytes of memory."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<suffix>[A-Za-z]*)", re.ASCII)
_LONGEST = 40
_MILLI = Decimal("0.001")
_BYTES = {
    "": Decimal(1),
    **{prefix: Decimal(1000) ** power for power, prefix in enumerate("kMGTPE", start=1)},
    "K": Decimal(1000),
    **{f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", start=1)},
    "m": _MILLI,
}
_MOST_CORES = 1_000_000
_MOST_BYTES = 2**63


def cpu(value: object) -> float:
    """A share of cores, such as `200m`, `0.2`, `1` or `"1"`; 1.0 is one core.

    Raises:
        ValueError: if it is not a positive quantity.
    """
    amount = _amount(value, {"": Decimal(1), "m": _MILLI}, "cores, such as 200m, 0.2 or 1")
    if not 0 < amount <= _MOST_CORES:
        raise ValueError(f"{_shown(value)} is not a share of cores: it must be over 0 and at most {_MOST_CORES}")
    return float(amount)


def mem(value: object) -> int:
    """Bytes of memory, such as `512Mi`, `1G`, `129e6` or `536870912`; a fraction of a byte counts as one.

    Raises:
        ValueError: if it is not a positive quantity.
    """
    amount = _amount(value, _BYTES, "bytes, such as 512Mi, 1G or 536870912")
    if not 0 < amount < _MOST_BYTES:
        raise ValueError(f"{_shown(value)} is not a size of memory: it must be over 0 bytes and under 8Ei")
    return math.ceil(amount)


def _amount(value: object, suffixes: dict[str, Decimal], what: str) -> Decimal:
    match = _NUMBER.fullmatch(_text(value).strip())
    if match is None or match["suffix"] not in suffixes:
        raise ValueError(f"{_shown(value)} is not a number of {what}{_hint(match, suffixes)}")
    try:
        number = Decimal(match["number"])
    except InvalidOperation:
        raise ValueError(f"{_shown(value)} is not a number of {what}") from None
    if number and not -40 < number.adjusted() < 40:
        # Decimal holds numbers whose digits no memory would; both bounds are refused by the callers.
        return Decimal(0) if number.adjusted() < 0 else Decimal(10) ** 40
    return number * suffixes[match["suffix"]]


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    if isinstance(value, int) and value.bit_length() > 128:
        # Python refuses to write integers of many thousand digits.
        return "1e40" if value > 0 else "-1"
    return str(value)[: _LONGEST * 4]


def _hint(match: re.Match[str] | None, suffixes: dict[str, Decimal]) -> str:
    if match is None or not match["suffix"]:
        return ""
    unit = match["suffix"]
    wanted = unit.removesuffix("B").removesuffix("b")
    near = [known for known in suffixes if known and known.casefold() == wanted.casefold()]
    # Thousandths come last: nobody means the milli-byte.
    best = next(iter(near), None)
    hint = f"; did you mean {match['number']}{best}?" if best else ""
    return f": the unit {unit[:_LONGEST]} is unknown{hint}"


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int) and value.bit_length() > 128:
        return "an integer that large"
    if not isinstance(value, (str, int, float)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
