"""The work of a job: what is still to be leased, what is out, and what a report or a death makes of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

from insula import failpoints
from insula.coordinator.failures import Error, Failures
from insula.coordinator.frontier import Frontier
from insula.coordinator.leases import Lease, Member
from insula.coordinator.pace import Pace
from insula.events import EventLog
from insula.ledger import DeadLetter, Ledger, Piece, Settled
from insula.results.export import Exporter
from insula.spec import BatchRef, Block
from insula.worker.cell import Doing

# One that runs and one that waits: the worker never idles while its report is on the way.
LEASES = 2


class Work:
    """Leases batches and takes in what comes of them; all changes go into the ledger's open transaction.

    Args:
        retries, isolate: see `Failures`.
    """

    def __init__(self, ledger: Ledger, exporter: Exporter, events: EventLog, *, retries: int, isolate: bool) -> None:
        self._ledger = ledger
        self._exporter = exporter
        self._events = events
        self.failures = Failures(ledger, self._settle, retries, isolate)
        self._frontier = Frontier(_left_over(ledger, self.failures.ordinals), ledger.state.batches)
        self.pace = Pace()
        self._numbers = itertools.count()

    # ------------------------------------------------------------------------------------------ leasing

    def add(self, block: Block) -> None:
        """Take in batches that were split."""
        self._ledger.add_block(block)
        self._frontier.extend(self._ledger.state.batches)

    @property
    def waiting(self) -> int:
        """How many batches and pieces nobody works on."""
        return self._frontier.waiting + len(self.failures.waiting)

    def lease(self, member: Member, workers: int) -> dict[str, Any] | None:
        """Lease work to a worker that has room; return the frame, None if there is none.

        What failed comes first and alone, so that the settled prefix moves and a death has one culprit.
        """
        if len(member.leases) >= LEASES:
            return None
        if self.failures.aside and self.failures.any_success:
            self.release()
        if self.failures.waiting:
            return self._lease_piece(member, self.failures.waiting.popleft())
        # Until something has succeeded, a predictor that always fails should not be called often.
        most = self.pace.lease(self._frontier.waiting, workers) if self.failures.any_success else 1
        taken = self._frontier.take(most)
        if taken is None:
            return None
        lease = self._record(member, *taken)
        slices = [piece.to_plain() for piece in self._slices(*taken)]
        return {"type": "lease", "lease": lease.number, "slices": slices, "pieces": []}

    def _lease_piece(self, member: Member, piece: Piece) -> dict[str, Any]:
        lease = self._record(member, piece.ordinal, piece.ordinal + 1, piece)
        batch = self._ledger.slice_at(piece.ordinal).first(1).to_plain()
        return {"type": "lease", "lease": lease.number, "slices": [], "pieces": [[batch, piece.skip, piece.take]]}

    def _record(self, member: Member, first: int, stop: int, piece: Piece | None = None) -> Lease:
        if failpoints.armed:
            failpoints.reach("lease", "before")
        lease = Lease(next(self._numbers), first, stop, time.monotonic(), piece)
        member.leases.append(lease)
        return lease

    def _slices(self, first: int, stop: int) -> Iterator[Any]:
        while first < stop:
            found = self._ledger.slice_at(first).first(stop - first)
            yield found
            first = found.stop

    # ------------------------------------------------------------------------------------------ reports

    def report(self, member: Member, frame: Mapping[str, Any]) -> bool:
        """Take in a report; return whether anything was settled by it.

        A report of a lease that is not the worker's now changes nothing, and neither does one that came before.
        """
        if frame["sequence"] != member.sequence:
            if frame["sequence"] > member.sequence:
                # What is missing may have been results: their bytes are waste, and their batches are leased again.
                member.sequence = frame["sequence"] + 1
                self.take_back(member)
            return False
        member.sequence += 1
        lease = next((lease for lease in member.leases if lease.number == frame["lease"]), None)
        if lease is None:
            return False
        self._take_in(lease, frame)
        self.pace.learn(frame["batches"], frame["busy"])
        lease.first += frame["batches"]
        if frame["done"]:
            member.leases.remove(lease)
            self._give_back(lease)
        return bool(frame["rows"] or frame["failures"])

    def _take_in(self, lease: Lease, frame: Mapping[str, Any]) -> None:
        state = self._ledger.state
        state.non_finite += frame["non_finite"]
        for ordinal, index, *error in frame["letters"]:
            number = self._ledger.add_error(*error)
            self._ledger.add_dead_letter(DeadLetter(index, ordinal, 1, number))
            self._events.emit("dead_letter", index=index, error=f"{error[0]}: {error[1]}")
        for *row, batches in frame["rows"]:
            self._settle(Settled(*row))
            if lease.piece is None:
                state.succeeded += batches
            else:
                self.failures.settled(lease.piece)
        for ordinal, skip, take, retry, *error in frame["failures"]:
            self._fail(self._piece(lease, ordinal, skip, take), Error(*error), retry=retry)

    def _settle(self, row: Settled) -> None:
        self._ledger.settle(row)
        self._exporter.expect(row)

    def _piece(self, lease: Lease, ordinal: int, skip: int, take: int) -> Piece:
        return lease.piece or self.failures.piece(self._reference(ordinal), skip, take)

    def _reference(self, ordinal: int) -> BatchRef:
        return next(self._ledger.slice_at(ordinal).references())

    def release(self) -> None:
        """Go on with the pieces that were put aside."""
        for piece, error in self.failures.release():
            self._tell_failure(piece, error, lost=True)

    def _fail(self, piece: Piece, error: Error, *, retry: bool = True) -> None:
        self._tell_failure(piece, error, lost=self.failures.failed(piece, error, retry=retry))

    def _tell_failure(self, piece: Piece, error: Error, *, lost: bool) -> None:
        self._events.emit(
            "dead_letters" if lost else "attempt_failed", batch=piece.ordinal, index=piece.index, samples=piece.take,
            attempts=piece.attempts, error=f"{error.type}: {error.message}",
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------ deaths

    def take_back(self, member: Member) -> None:
        """Have the rest of a worker's leases done by others; nobody is charged."""
        for lease in member.leases:
            self._give_back(lease)
        member.leases.clear()

    def drop(self, member: Member) -> dict[str, Any]:
        """Take back the lease that a worker has not begun; return the frame that tells it.

        Should it have begun it all the same, its report comes too late and changes nothing.
        """
        lease = member.leases.pop()
        self._give_back(lease)
        return {"type": "drop", "lease": lease.number}

    def _give_back(self, lease: Lease) -> None:
        if lease.piece is None:
            self._frontier.give_back(lease.first, lease.stop)
        elif lease.first < lease.stop:
            self.failures.waiting.appendleft(lease.piece)

    def charge(self, member: Member, doing: list[Doing], error: Error, *, interruption: bool) -> bool:
        """Charge the death of a worker to the one batch that it was at; of two, neither, and both are tried alone.

        Returns whether a batch was charged.
        """
        culprits = [(lease, one) for one in doing for lease in member.leases if lease.holds(one.ordinal, one.skip)]
        for lease, one in culprits:
            piece = lease.piece
            if piece is None:
                reference = self._reference(one.ordinal)
                piece = self.failures.piece(reference, 0, reference.count)
                self._frontier.give_back(lease.first, one.ordinal)
                lease.first = one.ordinal
            lease.first += 1
            if len(culprits) > 1:
                self.failures.again(piece)
            elif interruption:
                self.failures.interrupted(piece, error)
                self._events.emit("interrupted", batch=piece.ordinal, interruptions=piece.interruptions)
            else:
                self._fail(piece, error)
        self.take_back(member)
        return len(culprits) == 1

    def coordinator_died(self, doing: list[Doing]) -> None:
        """Remember the batches that were in `predict` when an earlier coordinator died."""
        found = [self._crashed(one) for one in doing]
        self.failures.forgive([piece for piece in found if piece is not None])

    def _crashed(self, one: Doing) -> Piece | None:
        if one.ordinal >= self._ledger.state.batches:
            return None
        known = [piece for piece in self.failures.waiting if (piece.ordinal, piece.skip) == (one.ordinal, one.skip)]
        if not known and not self._frontier.remove(one.ordinal):
            return None
        reference = self._reference(one.ordinal)
        piece = known[0] if known else self.failures.piece(reference, 0, reference.count)
        self.failures.crashed(piece)
        return piece


def _left_over(ledger: Ledger, pieces: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of ordinals that an earlier coordinator left unsettled, without those tried as pieces."""
    for first, stop in ledger.unsettled(ledger.state.exported):
        begin = ledger.slice_of_sample(first).ordinal
        end = ledger.slice_of_sample(stop - 1).ordinal + 1
        for ordinal in sorted(pieces.intersection(range(begin, end))):
            if begin < ordinal:
                yield begin, ordinal
            begin = ordinal + 1
        if begin < end:
            yield begin, end
