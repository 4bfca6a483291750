"""The ledger against a naive model, reopened after each step; what was not committed is gone."""

from __future__ import annotations

import copy
import shutil
import tempfile
from array import array
from itertools import pairwise
from pathlib import Path

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from insula.ledger import DeadLetter, Ledger, Piece, Settled, State
from insula.spec import BatchRef, Block, Extent, Input

SIZE = 4


@attrs.define
class Model:
    """All that a ledger remembers, as plain lists."""

    batches: list[BatchRef] = attrs.field(factory=list)
    settled: dict[int, Settled] = attrs.field(factory=dict)
    pieces: dict[tuple[int, int, int], Piece] = attrs.field(factory=dict)
    letters: dict[int, DeadLetter] = attrs.field(factory=dict)
    errors: list[tuple[str, str, str]] = attrs.field(factory=list)
    workers: dict[str, tuple[str, int, str]] = attrs.field(factory=dict)
    state: State = attrs.field(factory=State)

    @property
    def samples(self) -> int:
        return sum(batch.count for batch in self.batches)

    def free(self) -> list[int]:
        """Return the samples that are split and not settled."""
        done = {index for row in self.settled.values() for index in range(row.index, row.stop)}
        return [index for index in range(self.samples) if index not in done]


class LedgerMachine(RuleBasedStateMachine):
    errors = Bundle("errors")

    @initialize()
    def begin(self) -> None:
        memory = Path("/dev/shm")
        self.root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.path = self.root / "ledger.sqlite3"
        self.ledger = Ledger(self.path, create=True)
        self.inputs = [Input("a", 10, "stamp"), Input("b", None, None, "named")]
        self.ledger.add_inputs(self.inputs)
        self.ledger.commit()
        self.model = Model()
        self.durable = copy.deepcopy(self.model)

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.root)

    # ---------------------------------------------------------------------------------------- changes

    @rule(counts=st.integers(1, 5), last=st.integers(1, SIZE), crossing=st.booleans())
    def add_block(self, counts: int, last: int, crossing: bool) -> None:
        model, start = self.model, self.model.samples * 10
        if model.batches and model.batches[-1].count < SIZE:
            return  # a batch that is not full ends the split
        ordinal, index = len(model.batches), model.samples
        if crossing:
            extents = (Extent(0, start, start + 5), Extent(1, 0, 7))
            block, added = Block(SIZE, last, extents=extents), [BatchRef(ordinal, index, last, extents)]
        else:
            stops = [start + 10 * (n + 1) for n in range(counts)]
            block, added = Block(SIZE, last, 0, start, array("Q", stops), line=3), []
            for number, (begin, stop) in enumerate(zip([start, *stops], stops, strict=False)):
                count = last if number == counts - 1 else SIZE
                added.append(BatchRef(ordinal + number, index + number * SIZE, count, (Extent(0, begin, stop),)))
        assert list(self.ledger.add_block(block).references()) == added
        model.batches += added
        model.state = attrs.evolve(
            model.state, batches=len(model.batches), samples=model.samples,
            split_input=added[-1].extents[-1].input, split_offset=added[-1].extents[-1].stop,
        )  # fmt: skip

    @precondition(lambda self: self.model.free())
    @rule(data=st.data(), kind=st.sampled_from(["each", "whole", "stored", "dead"]))
    def settle(self, data: st.DataObject, kind: str) -> None:
        free = self.model.free()
        index = data.draw(st.sampled_from(free))
        longest = next((n for n in range(1, 9) if index + n not in free), 8)
        count = data.draw(st.integers(1, longest))
        numbers = {"each": (count, 0, 0, 0, 0), "whole": (0, 1, count, 0, 0), "stored": (0, 0, 0, count, 0)}
        row = Settled(index, count, "part", index, count * 7, *numbers.get(kind, (0, 0, 0, 0, count)))
        self.ledger.settle(row)
        self.model.settled[index] = row
        state = self.model.state
        self.model.state = attrs.evolve(
            state, each=state.each + row.each, whole=state.whole + row.whole, dead=state.dead + row.dead,
            whole_samples=state.whole_samples + row.whole_samples, stored=state.stored + row.stored,
        )  # fmt: skip

    @rule(ordinal=st.integers(0, 3), skip=st.integers(0, 3), take=st.integers(1, 4), attempts=st.integers(0, 3),
          state=st.sampled_from(["open", "open", "settled", "split", "dead"]))  # fmt: skip
    def put_piece(self, ordinal: int, skip: int, take: int, attempts: int, state: str) -> None:
        piece = Piece(ordinal, skip, take, ordinal * SIZE + skip, attempts, 1, 2, state)
        self.ledger.put_piece(piece)
        self.model.pieces[piece.key] = piece

    @rule(target=errors, kind=st.sampled_from(["A", "B"]), text=st.sampled_from(["", "x", "é\udc80"[:1]]))
    def add_error(self, kind: str, text: str) -> tuple[str, str, str]:
        error = (kind, text, "traceback")
        self.ledger.add_error(*error)
        if error not in self.model.errors:
            self.model.errors.append(error)
        return error

    @rule(error=errors, index=st.integers(0, 30))
    def add_dead_letter(self, error: tuple[str, str, str], index: int) -> None:
        if index not in self.model.letters and error in self.model.errors:
            letter = DeadLetter(index, index // SIZE, 2, self.ledger.add_error(*error))
            self.ledger.add_dead_letter(letter)
            self.model.letters[index] = letter

    @rule(name=st.sampled_from("abc"))
    def worker(self, name: str) -> None:
        if name in self.model.workers:
            self.ledger.remove_worker(name)
            del self.model.workers[name]
        else:
            self.ledger.add_worker(name, 7, "then")
            self.model.workers[name] = (name, 7, "then")

    @rule(exported=st.integers(0, 10), running=st.floats(0, 1e9), completes=st.sampled_from([None, True, False]))
    def change_state(self, exported: int, running: float, completes: bool | None) -> None:
        for state in (self.ledger.state, self.model.state):
            state.exported, state.running, state.completes = exported, running, completes

    # ---------------------------------------------------------------------------------------- lives

    @rule()
    def commit(self) -> None:
        changed = self.ledger.commit()
        assert changed or self.model == self.durable
        assert not self.ledger.commit()
        self.durable = copy.deepcopy(self.model)

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.path)
        self.model = copy.deepcopy(self.durable)

    # ---------------------------------------------------------------------------------------- what it says

    @invariant()
    def says_what_the_model_says(self) -> None:
        ledger, model = self.ledger, self.model
        assert ledger.state == model.state
        assert ledger.inputs() == self.inputs
        rows = [model.settled[index] for index in sorted(model.settled)]
        assert list(ledger.settled(0)) == rows
        assert list(ledger.settled(5, 2)) == [row for row in rows if row.index >= 5][:2]
        ranges = list(ledger.unsettled(0))
        assert [index for first, stop in ranges for index in range(first, stop)] == model.free()
        assert all(before[1] < after[0] for before, after in pairwise(ranges))
        pieces = sorted(model.pieces.values(), key=lambda piece: (piece.ordinal, piece.skip))
        found = ledger.open_pieces()
        assert sorted(found, key=lambda piece: piece.key) == sorted(
            (piece for piece in pieces if piece.state == "open"), key=lambda piece: piece.key
        )
        assert sorted(piece.key for piece in ledger.pieces_of(1)) == sorted(
            piece.key for piece in pieces if piece.ordinal == 1
        )
        assert list(ledger.dead_letters()) == [model.letters[index] for index in sorted(model.letters)]
        assert ledger.count_dead_letters() == len(model.letters)
        assert ledger.workers() == [model.workers[name] for name in sorted(model.workers)]

    @invariant()
    def finds_every_batch(self) -> None:
        for batch in self.model.batches:
            assert next(self.ledger.slice_at(batch.ordinal).references()) == batch
            for sample in range(batch.index, batch.index + batch.count):
                assert self.ledger.slice_of_sample(sample).ordinal == batch.ordinal
        if self.model.batches:
            first = self.ledger.block_of(len(self.model.batches) - 1)
            assert list(first.references()) == self.model.batches[first.ordinal :]


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
