"""Leases: which batches which worker has, as the coordinator remembers them while it lives."""

from __future__ import annotations

from typing import Any

import attrs

from insula.executors.interface import Handle
from insula.ledger import Piece
from insula.records import define


@define(eq=False)
class Lease:
    """Batches `first` to `stop`, or one piece, handed to a worker; `first` moves on as they are reported.

    `since` is when it was sent, by the monotonic clock.
    """

    number: int
    first: int
    stop: int
    since: float
    piece: Piece | None = None

    def holds(self, ordinal: int, skip: int) -> bool:
        """Return whether a batch or piece is still to be reported."""
        if self.piece is not None:
            return self.first < self.stop and (self.piece.ordinal, self.piece.skip) == (ordinal, skip)
        return self.first <= ordinal < self.stop and skip == 0


@define(eq=False)
class Member:
    """A worker of the job's crew.

    Args:
        seat: the number of its assignment, which its replacement takes over.
        pid: of its process, None if it has none here.
        phase: `starting`, `checked` (waits for the totals), `constructing`, `ready`, `leaving`.
        sequence: of the next report.
        since: when the phase began, by the monotonic clock.
        reason, reason_kind: why insula killed it, if it did, and what errors call that.
    """

    name: str
    seat: int
    handle: Handle
    since: float
    pid: int | None = None
    phase: str = "starting"
    completes: bool = False
    sequence: int = 0
    leases: list[Lease] = attrs.field(factory=list)
    current_part: str = ""
    reason: str = ""
    reason_kind: str = "WorkerDied"
    failure: list[Any] | None = None

    def enter(self, phase: str, now: float) -> None:
        """Begin another phase."""
        self.phase, self.since = phase, now
