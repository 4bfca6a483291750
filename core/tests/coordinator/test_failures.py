from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insula.coordinator.failures import CRASHES, HOPELESS, INTERRUPTIONS, Error, Failures
from insula.ledger import Ledger, Piece, Settled
from insula.spec import BatchRef, Block

ERROR = Error("ValueError", "guilty", "Traceback …")


class Batch:
    """One batch in a ledger, tried until it is settled; the batch before it has succeeded, unless it is to be the first."""

    def __init__(
        self, ledger: Ledger, size: int, retries: int = 1, *, isolate: bool = True, first: bool = False
    ) -> None:
        self.ledger, self.options = ledger, (retries, isolate)
        ledger.add_block(Block(size, size, 0, 0, [100] if first else [100, 200]))
        self.ordinal = 0 if first else 1
        self.reference: BatchRef = next(ledger.slice_at(self.ordinal).references())
        if not first:
            self.settle(0, size)
            ledger.state.succeeded += 1
        self.failures = self.open()
        self.calls: list[tuple[int, int]] = []

    def settle(self, index: int, samples: int) -> None:
        self.ledger.settle(Settled(index, samples, "", 0, 0, samples, 0, 0, 0, 0))

    def open(self) -> Failures:
        return Failures(self.ledger, self.ledger.settle, *self.options)

    def reopen(self) -> None:
        """Go on with another coordinator, which knows what the ledger says."""
        self.failures = self.open()

    def whole(self) -> Piece:
        return self.failures.piece(self.reference, 0, self.reference.count)

    def predict(self, piece: Piece, guilty: set[int]) -> None:
        self.calls.append((piece.skip, piece.take))
        if guilty.intersection(range(piece.skip, piece.skip + piece.take)):
            self.failures.failed(piece, ERROR)
        else:
            self.settle(piece.index, piece.take)
            self.failures.settled(piece)

    def run(self, guilty: set[int]) -> list[int]:
        """Predict until nothing waits; return the positions of the dead."""
        self.predict(self.whole(), guilty)
        while self.failures.waiting or self.failures.aside:
            if self.failures.waiting:
                self.predict(self.failures.waiting.popleft(), guilty)
            if self.failures.any_success or not self.failures.waiting:
                self.failures.release()
        return [letter.index - self.reference.index for letter in self.ledger.dead_letters()]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger", create=True)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("guilty", range(32))
def test_one_guilty_sample_in_32_costs_13_calls(ledger: Ledger, guilty: int) -> None:
    batch = Batch(ledger, 32)
    assert batch.run({guilty}) == [guilty]
    assert len(batch.calls) == 13
    assert max(Counter(batch.calls).values()) == 2
    assert [(letter.attempts, letter.ordinal) for letter in ledger.dead_letters()] == [(2, 1)]
    assert (ledger.state.failed, ledger.state.succeeded, ledger.state.dead) == (1, 1, 1)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 3), st.booleans(), st.data())
def test_exactly_the_guilty_are_given_up_on(size: int, retries: int, first: bool, data: st.DataObject) -> None:
    guilty = data.draw(st.sets(st.integers(0, size - 1), max_size=6))
    with closing(Ledger(Path(":memory:"), create=True)) as ledger:
        batch = Batch(ledger, size, retries, first=first)
        assert batch.run(guilty) == sorted(guilty)
        calls = Counter(batch.calls)
        for (_, take), count in calls.items():
            assert count <= (retries + 1 if take in (1, size) else 1)
        assert not ledger.open_pieces()
        assert not batch.failures.ordinals
        assert ledger.state.settled == ledger.state.batches
        assert ledger.state.failed == bool(guilty)


def test_it_is_depth_first_and_in_order(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    batch.run({0, 3})
    assert batch.calls == [(0, 4)] * 2 + [(0, 2)] + [(0, 1)] * 2 + [(1, 1), (2, 2), (2, 1)] + [(3, 1)] * 2


def test_without_isolation_the_batch_is_lost_at_once(ledger: Ledger) -> None:
    batch = Batch(ledger, 4, isolate=False)
    assert batch.run({2}) == [0, 1, 2, 3]
    assert batch.calls == [(0, 4)] * 2


def test_what_cannot_end_differently_is_not_tried_again(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    assert batch.failures.failed(batch.whole(), ERROR, retry=False)
    assert ledger.count_dead_letters() == 4
    assert not batch.failures.waiting


def test_interruptions_have_a_budget_before_they_are_attempts(ledger: Ledger) -> None:
    batch = Batch(ledger, 1)
    piece = batch.whole()
    for count in range(INTERRUPTIONS + 1):
        assert not batch.failures.interrupted(piece, ERROR)
        assert piece.attempts == (count == INTERRUPTIONS)
        assert batch.failures.waiting.popleft() is piece
    assert batch.failures.interrupted(piece, ERROR)
    assert ledger.count_dead_letters() == 1
    assert ledger.state.interruptions == INTERRUPTIONS + 2


def test_crashes_in_a_row_are_an_attempt(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    for count in range(1, CRASHES + 1):
        piece = batch.failures.waiting[0] if batch.failures.waiting else batch.whole()
        batch.failures.crashed(piece)
        batch.failures.forgive([piece])
        assert (piece.attempts, piece.crashes) == ((0, count) if count < CRASHES else (1, 0))
        assert list(batch.failures.waiting) == [piece]
        batch.reopen()


def test_crashes_that_are_not_in_a_row_are_forgiven(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    batch.failures.crashed(batch.whole())
    batch.failures.forgive([])
    batch.reopen()
    (piece,) = batch.failures.waiting
    assert piece.crashes == 0


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 20), st.data())
def test_another_coordinator_goes_on_where_the_last_one_was(size: int, data: st.DataObject) -> None:
    guilty = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=3))
    with closing(Ledger(Path(":memory:"), create=True)) as ledger:
        batch = Batch(ledger, size)
        batch.predict(batch.whole(), guilty)
        while batch.failures.waiting:
            if data.draw(st.booleans()):
                batch.reopen()
                assert batch.failures.ordinals == {1}
            batch.predict(batch.failures.waiting.popleft(), guilty)
        assert [letter.index - size for letter in ledger.dead_letters()] == sorted(guilty)
        assert (ledger.state.failed, ledger.state.succeeded) == (1, 1)
        assert not ledger.open_pieces()


def test_as_long_as_nothing_succeeds_nothing_is_given_up_on(ledger: Ledger) -> None:
    batch = Batch(ledger, 4, first=True)
    for _ in range(2):
        assert not batch.failures.failed(batch.whole(), ERROR)
    assert batch.failures.aside == 1
    assert batch.failures.hopeless is None
    batch.reopen()
    assert [piece.attempts for piece in batch.failures.waiting] == [2]
    assert ledger.count_dead_letters() == 0


def test_ten_batches_out_of_attempts_before_any_success_are_hopeless(ledger: Ledger) -> None:
    ledger.add_block(Block(2, 2, 0, 0, list(range(10, 10 + 10 * (HOPELESS + 1), 10))))
    failures = Failures(ledger, ledger.settle, 0, True)
    for reference in ledger.slice_at(0).references():
        assert (failures.hopeless is None) == (reference.ordinal < HOPELESS)
        failures.failed(failures.piece(reference, 0, 2), ERROR)
    assert failures.hopeless == ERROR
    ledger.settle(Settled(100, 1, "", 0, 0, 1, 0, 0, 0, 0))
    assert failures.hopeless is None
    failures.release()
    assert len(failures.waiting) == 2 * (HOPELESS + 1)


def test_where_whole_batches_are_lost_nothing_is_halved(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    ledger.state.lost = ledger.state.failed = 20
    ledger.state.succeeded = 379
    assert batch.run({1}) == [0, 1, 2, 3]
    assert batch.calls == [(0, 4)] * 2
    assert ledger.state.lost == 21


def test_batches_that_lost_only_some_samples_do_not_stop_it(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    ledger.state.failed = 1000
    assert batch.run({1}) == [1]
    assert (ledger.state.failed, ledger.state.lost) == (1001, 0)


def test_a_batch_lost_piece_by_piece_counts_as_lost(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    assert batch.run({0, 1, 2, 3}) == [0, 1, 2, 3]
    assert (ledger.state.failed, ledger.state.lost) == (1, 1)


def test_where_little_fails_it_is(ledger: Ledger) -> None:
    batch = Batch(ledger, 4)
    ledger.state.lost = ledger.state.failed = 20
    ledger.state.succeeded = 381
    assert batch.run({1}) == [1]
