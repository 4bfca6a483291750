"""Figures beside their targets, for people and for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import attrs

HEAD = ("case", "what", "measured", "target", "", "from")


@attrs.frozen
class Figure:
    """One measured number.

    Args:
        case: the case that measured it.
        what: what the number says, such as "hand_multi over insula".
        value: the number.
        unit: "×", "ms", "s", ….
        at_least, at_most: its target, if it has one.
        note: what it was computed from.
    """

    case: str
    what: str
    value: float
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether the target was met; a number without one always was."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"


def render(figures: Sequence[Figure]) -> str:
    """A table of Markdown."""
    rows = [HEAD, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = ("pass" if figure.held else "FAIL") if figure.target else ""
    measured = f"{figure.value:.4g} {figure.unit}"
    return figure.case, figure.what, measured, figure.target, verdict, figure.note


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures, and on what they were measured, as JSON."""
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    rows = [attrs.asdict(figure) | {"held": figure.held} for figure in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2, ensure_ascii=False) + "\n")
