"""What a worker has to say of a lease: which samples are done and where, and what failed."""

from __future__ import annotations

from typing import Any

import attrs

from insula.records import define
from insula.worker.tracebacks import Failure


@define
class Row:
    """Consecutive samples whose lines follow each other in one part; see `insula.ledger.Settled`."""

    index: int
    samples: int = 0
    batches: int = 0
    length: int = 0
    each: int = 0
    whole: int = 0
    whole_samples: int = 0
    stored: int = 0
    dead: int = 0


@define
class Report:
    """Part of a lease, collected until it is written and sent.

    Args:
        lease: its number.
        sequence: counts the worker's reports, so that one that is lost or comes twice is noticed.
        batches: how many batches or pieces were handled, well or not.
        busy: seconds that they took.
        done: whether the lease has ended.
    """

    lease: int
    sequence: int = 0
    rows: list[Row] = attrs.field(factory=list)
    chunks: list[bytes] = attrs.field(factory=list)
    failures: list[list[Any]] = attrs.field(factory=list)
    letters: list[list[Any]] = attrs.field(factory=list)
    non_finite: int = 0
    batches: int = 0
    busy: float = 0.0
    done: bool = False

    def row(self, index: int) -> Row:
        """Return the row that a batch with this first sample belongs to: the last one if it follows directly."""
        if self.rows:
            last = self.rows[-1]
            if last.index + last.samples == index:
                return last
        row = Row(index)
        self.rows.append(row)
        return row

    def fail(self, ordinal: int, skip: int, take: int, failure: Failure, *, retry: bool) -> None:
        """Say that a batch or piece failed; without `retry` another attempt could not end differently."""
        self.failures.append([ordinal, skip, take, retry, *attrs.astuple(failure)])

    def give_up(self, ordinal: int, index: int, failure: Failure) -> None:
        """Say that one sample cannot be read or its prediction not be written."""
        self.letters.append([ordinal, index, *attrs.astuple(failure)])

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.rows or self.failures)

    def frame(self, part: str, offset: int) -> dict[str, Any]:
        """Return the report as a frame, its lines being in `part` from `offset`."""
        rows = []
        for row in self.rows:
            rows.append([
                row.index, row.samples, part, offset, row.length, row.each, row.whole, row.whole_samples, row.stored,
                row.dead, row.batches,
            ])  # fmt: skip
            offset += row.length
        return {
            "type": "report", "lease": self.lease, "sequence": self.sequence, "rows": rows,
            "failures": self.failures, "letters": self.letters,
            "non_finite": self.non_finite, "batches": self.batches, "busy": self.busy, "done": self.done,
        }  # fmt: skip
