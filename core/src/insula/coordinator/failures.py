"""What becomes of a batch that failed: tried again, halved, given up on.

A whole batch has `retries` + 1 attempts; then it is halved, depth first, one attempt each; a sample alone has `retries` + 1
again. So one guilty sample in 32 costs 13 calls with one retry, and costs only itself.

Where halving saves nothing, it only costs: a breaker gives whole batches up while more than one in twenty of those settled
was lost from end to end. (Batches that lose a sample or two do not count: to stop halving would multiply what is lost.) And
as long as nothing at all has succeeded, what is out of attempts is put aside: ten such batches say that the fault is not
theirs, and the job can end with nothing given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from insula.ledger import DeadLetter, Ledger, Piece, Settled
from insula.records import frozen
from insula.spec import BatchRef

# What nobody can explain is not the batch's fault at first; but nothing loops for ever.
INTERRUPTIONS = 5
# A batch found in `predict` at so many coordinator deaths in a row is charged with the last.
CRASHES = 3
# So many batches failing before any succeeds is a fault of the predictor, not of batches.
HOPELESS = 10
_BREAKER_SHARE = 0.05
_BREAKER_LEAST = 20


@frozen
class Error:
    """Why an attempt failed."""

    type: str
    message: str
    traceback: str = ""


class Failures:
    """The pieces of a job, and the order in which they are tried.

    Args:
        settle: records samples that need no further work.
        retries: further attempts after the first.
        isolate: whether a failing batch is halved.
    """

    def __init__(self, ledger: Ledger, settle: Callable[[Settled], None], retries: int, isolate: bool) -> None:
        self._ledger = ledger
        self._settle = settle
        self._attempts = retries + 1
        self._isolate = isolate
        self._pieces: dict[tuple[int, int, int], Piece] = {}
        self._open: dict[int, int] = {}
        self.waiting: deque[Piece] = deque()
        self._aside: list[tuple[Piece, Error]] = []
        for piece in ledger.open_pieces():
            self._add(piece)
            self.waiting.append(piece)

    def _add(self, piece: Piece) -> None:
        self._pieces[piece.key] = piece
        self._open[piece.ordinal] = self._open.get(piece.ordinal, 0) + 1

    @property
    def ordinals(self) -> set[int]:
        """Batches that are tried as pieces, and so not leased with others."""
        return set(self._open)

    def _whole(self, reference: BatchRef) -> Piece:
        key = (reference.ordinal, 0, reference.count)
        if key not in self._pieces:
            self._add(Piece(reference.ordinal, 0, reference.count, reference.index))
        return self._pieces[key]

    def piece(self, reference: BatchRef, skip: int, take: int) -> Piece:
        """Return the piece for part of a batch; the whole batch becomes one when it first fails."""
        found = self._pieces.get((reference.ordinal, skip, take))
        return self._whole(reference) if found is None else found

    def interrupted(self, piece: Piece, error: Error) -> bool:
        """Charge an end that nobody can explain; return whether samples were given up on."""
        piece.interruptions += 1
        self._ledger.state.interruptions += 1
        if piece.interruptions > INTERRUPTIONS:
            return self.failed(piece, error)
        self.again(piece)
        return False

    def crashed(self, piece: Piece) -> None:
        """Charge a batch with the deaths of coordinators, once there were too many in a row."""
        if piece in self.waiting:
            self.waiting.remove(piece)
        piece.crashes += 1
        if piece.crashes < CRASHES:
            self.again(piece)
            return
        piece.crashes = 0
        message = f"the coordinator died {CRASHES} times in a row while this batch was predicted"
        self.failed(piece, Error("CoordinatorDied", message))

    def forgive(self, guilty: Collection[Piece]) -> None:
        """End the row of crashes of every piece that the last death did not find in `predict`."""
        for piece in self.waiting:
            if piece.crashes and piece not in guilty:
                piece.crashes = 0
                self._ledger.put_piece(piece)

    def failed(self, piece: Piece, error: Error, *, retry: bool = True) -> bool:
        """Charge an attempt; return whether samples were given up on."""
        piece.attempts += 1
        self._ledger.state.attempts += 1
        alone = piece.take == 1 or self._is_whole(piece)
        if retry and piece.attempts < (self._attempts if alone else 1):
            self.again(piece)
        elif retry and not self.any_success:
            self._ledger.put_piece(piece)
            self._aside.append((piece, error))
        else:
            return self._exhausted(piece, error, halve=retry)
        return False

    def _exhausted(self, piece: Piece, error: Error, *, halve: bool = True) -> bool:
        if halve and self._isolate and piece.take > 1 and not self._breaker_open:
            self._halve(piece)
            return False
        self._give_up(piece, error)
        return True

    @property
    def any_success(self) -> bool:
        """Whether a sample was predicted, ever."""
        return self._ledger.state.accounted > self._ledger.state.dead

    @property
    def _breaker_open(self) -> bool:
        state = self._ledger.state
        return state.lost >= _BREAKER_LEAST and state.lost > _BREAKER_SHARE * state.settled

    @property
    def hopeless(self) -> Error | None:
        """The first error, if so many batches are out of attempts and none has succeeded that none will."""
        return self._aside[0][1] if len(self._aside) >= HOPELESS and not self.any_success else None

    @property
    def aside(self) -> int:
        """How many pieces are out of attempts and wait for a first success."""
        return len(self._aside)

    def release(self) -> list[tuple[Piece, Error]]:
        """Go on with what was put aside: something has succeeded, or nothing else is left to do.

        Returns the pieces that were given up on.
        """
        aside, self._aside = self._aside, []
        return [(piece, error) for piece, error in aside if self._exhausted(piece, error)]

    def _is_whole(self, piece: Piece) -> bool:
        return piece.take == self._reference(piece.ordinal).count

    def _reference(self, ordinal: int) -> BatchRef:
        return next(self._ledger.slice_at(ordinal).references())

    def again(self, piece: Piece) -> None:
        """Have a piece tried next, without charging it."""
        self._ledger.put_piece(piece)
        self.waiting.appendleft(piece)

    def _halve(self, piece: Piece) -> None:
        half = piece.take // 2
        parts = (
            Piece(piece.ordinal, piece.skip, half, piece.index),
            Piece(piece.ordinal, piece.skip + half, piece.take - half, piece.index + half),
        )
        for part in parts:
            self._add(part)
            self._ledger.put_piece(part)
        self.waiting.extendleft(reversed(parts))
        self._close(piece, "split")

    def _give_up(self, piece: Piece, error: Error) -> None:
        number = self._ledger.add_error(error.type, error.message, error.traceback)
        for index in range(piece.index, piece.index + piece.take):
            self._ledger.add_dead_letter(DeadLetter(index, piece.ordinal, piece.attempts, number))
        self._settle(Settled(piece.index, piece.take, "", 0, 0, 0, 0, 0, 0, piece.take))
        self.settled(piece, dead=True)

    def settled(self, piece: Piece, *, dead: bool = False) -> None:
        """Record that a piece is done; with the last one of its batch the batch is."""
        self._close(piece, "dead" if dead else "settled")
        if piece.ordinal in self._open:
            return
        state, pieces = self._ledger.state, self._ledger.pieces_of(piece.ordinal)
        gone = sum(one.take for one in pieces if one.state == "dead")
        state.failed += gone > 0
        state.succeeded += gone == 0
        state.lost += gone == self._reference(piece.ordinal).count

    def _close(self, piece: Piece, state: str) -> None:
        piece.state = state
        self._ledger.put_piece(piece)
        del self._pieces[piece.key]
        self._open[piece.ordinal] -= 1
        if not self._open[piece.ordinal]:
            del self._open[piece.ordinal]
