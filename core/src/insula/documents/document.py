"""One document: its data, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from insula.errors import Fault, SpecError
from insula.records import frozen

Path = tuple[str | int, ...]
Mark = tuple[int, int]


def _nowhere(path: Path) -> Mark | None:
    return None


@frozen
class Document:
    """Plain data (mappings with string keys, lists, scalars) that was read from a file or given in its place.

    Args:
        name: the name of the file, or of what stands in its place ("the submission").
        data: what it holds.
        locate: the line and column, from 1, of the key or list entry at a path; None if there is none.
    """

    name: str
    data: Any
    locate: Callable[[Path], Mark | None] = attrs.field(default=_nowhere, eq=False)

    def error(self, faults: Sequence[Fault]) -> SpecError:
        """The error that reports `faults`, in the order of their lines."""
        placed = [self._placed(fault) for fault in faults]
        placed.sort(key=lambda fault: (fault.line is None, fault.line or 0, fault.column or 0))
        return SpecError(placed, self.name)

    def _placed(self, fault: Fault) -> Fault:
        if fault.line is not None:
            return fault
        # What is missing is reported where the section that should hold it begins.
        for length in range(len(fault.path), 0, -1):
            mark = self.locate(fault.path[:length])
            if mark is not None:
                return attrs.evolve(fault, line=mark[0], column=mark[1])
        return fault
