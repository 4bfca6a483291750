"""What the command line asks of a case."""

from __future__ import annotations

from pathlib import Path

import attrs


@attrs.frozen
class Options:
    """How large, how often and where.

    Args:
        data: inputs that are made once and kept.
        work: what a run leaves, removed at the end; on the disk of `data`, since the runs write durably.
        rows: samples, None for the case's own number.
        rounds: runs of each contestant, None for the case's own number.
        small: whether to show only that everything runs.
    """

    data: Path
    work: Path
    rows: int | None = None
    rounds: int | None = None
    small: bool = False

    def size(self, full: int, small: int) -> int:
        """The number of rows of a case that has these two sizes."""
        return self.rows or (small if self.small else full)

    def repeat(self, full: int) -> int:
        """The number of rounds of a case that has this one."""
        return self.rounds or (1 if self.small else full)
