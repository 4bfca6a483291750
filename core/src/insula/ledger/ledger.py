"""SQLite as the ledger: one writer, group commits, no shared memory.

`locking_mode=EXCLUSIVE` comes before anything else, so that WAL makes no `-shm` file and works wherever files can be locked;
on network file systems, where WAL is not safe, the journal is truncated instead.
"""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import attrs
import orjson

from insula import failpoints
from insula.errors import JobError
from insula.ledger.mounts import on_network
from insula.ledger.rows import DeadLetter, Piece, Settled, State
from insula.ledger.schema import TABLES, VERSION
from insula.spec import Block, Extent, Input, Slice

_BLOCK = "ordinal, sample, batches, count, last, input, start, stops, extents, line"
_SETTLED = "sample, samples, part, offset, length, each, whole, whole_samples, stored, dead"
_PIECE = "ordinal, skip, take, sample, attempts, interruptions, crashes, state"


class Ledger:
    """An open ledger. Changes are invisible to a crash until `commit`.

    Args:
        path: the file.
        create: whether to make it where it is missing or empty.

    Raises:
        JobError: if the file is missing, no ledger, or of another schema version.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.exists():
            raise JobError(f"{path} is missing: this job has no ledger and cannot be resumed")
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
        except sqlite3.OperationalError as error:
            _probe(path)
            raise JobError(f"{path} cannot be opened: {error}") from error
        try:
            self._prepare(path, create)
        except sqlite3.DatabaseError as error:
            try:
                _probe(path)
            finally:
                self._connection.close()
            remedy = "; it lies on a network file system: set INSULA_HOME to a local folder" if on_network(path) else ""
            raise JobError(f"{path} is not a ledger that can be read: {error}{remedy}") from error
        except JobError:
            self._connection.close()
            raise
        self._written = ""
        self._open = False
        self.state = self._load_state()

    def _prepare(self, path: Path, create: bool) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode=EXCLUSIVE")
        execute(f"PRAGMA journal_mode={'TRUNCATE' if on_network(path) else 'WAL'}")
        execute("PRAGMA synchronous=FULL")
        if create and not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._create()
        found = execute("PRAGMA user_version").fetchone()[0]
        if found != VERSION:
            raise JobError(
                f"{path} has ledger version {found}, and this insula reads version {VERSION}: "
                "resume the job with the insula that began it"
            )

    def _create(self) -> None:
        # In one transaction: who is killed here leaves an empty file, which the next coordinator fills.
        blank = orjson.dumps(attrs.asdict(State())).decode()
        self._connection.executescript(
            f"BEGIN; {TABLES} INSERT INTO state VALUES ('{blank}'); PRAGMA user_version={VERSION}; COMMIT;"
        )

    def _load_state(self) -> State:
        (self._written,) = self._connection.execute("SELECT row FROM state").fetchone()
        return State(**orjson.loads(self._written))

    # ------------------------------------------------------------------------------------------ transactions

    def _write(self, statement: str, values: Sequence[object]) -> sqlite3.Cursor:
        self._begin()
        return self._connection.execute(statement, values)

    def _begin(self) -> None:
        if not self._open:
            self._connection.execute("BEGIN IMMEDIATE")
            self._open = True

    def commit(self) -> bool:
        """Make every change since the last commit durable, in one transaction; return whether there was one."""
        row = orjson.dumps(attrs.asdict(self.state)).decode()
        if row != self._written:
            self._write("UPDATE state SET row = ?", (row,))
        if not self._open:
            return False
        with failpoints.around("commit"):
            self._connection.execute("COMMIT")
        self._open, self._written = False, row
        return True

    def roll_back(self) -> None:
        """Forget every change since the last commit; `state` is another object then."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._open = False
        self.state = self._load_state()

    def close(self) -> None:
        """Close the file; changes not committed are gone."""
        self._connection.close()

    # ------------------------------------------------------------------------------------------ inputs and blocks

    def add_inputs(self, inputs: Iterable[Input]) -> None:
        """Record the listing, in order."""
        self._begin()
        self._connection.executemany(
            "INSERT INTO inputs VALUES (?, ?, ?, ?, ?)",
            ((number, i.uri, i.size, i.stamp, i.name) for number, i in enumerate(inputs)),
        )

    def inputs(self) -> list[Input]:
        """Return the listing."""
        rows = self._connection.execute("SELECT uri, size, stamp, name FROM inputs ORDER BY number")
        return [Input(*row) for row in rows]

    def add_block(self, block: Block) -> Slice:
        """Append a block behind the last one; return it with its place."""
        state = self.state
        placed = Slice(state.batches, state.samples, block)
        extents = [attrs.astuple(extent) for extent in block.extents]
        self._write(
            f"INSERT INTO blocks ({_BLOCK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (state.batches, state.samples, block.batches, block.count, block.last, block.input, block.start,
             array("Q", block.stops).tobytes(), orjson.dumps(extents).decode() if extents else None, block.line),
        )  # fmt: skip
        state.batches += block.batches
        state.samples += block.samples
        state.split_input, state.split_offset = block.end
        return placed

    def slice_at(self, ordinal: int) -> Slice:
        """Return the block that holds a batch, from that batch on."""
        return self.block_of(ordinal).from_batch(ordinal)

    def block_of(self, ordinal: int) -> Slice:
        """Return the whole block that holds a batch."""
        return self._slice("ordinal <= ? ORDER BY ordinal DESC", ordinal)

    def slice_of_sample(self, sample: int) -> Slice:
        """Return the block that holds a sample, from its batch on."""
        found = self._slice("sample <= ? ORDER BY sample DESC", sample)
        return found.from_batch(found.ordinal + (sample - found.index) // found.block.count)

    def _slice(self, condition: str, value: int) -> Slice:
        row = self._connection.execute(f"SELECT {_BLOCK} FROM blocks WHERE {condition} LIMIT 1", (value,)).fetchone()
        ordinal, sample, _, count, last, number, start, stops, extents, line = row
        parsed = tuple(Extent(*extent) for extent in orjson.loads(extents)) if extents else ()
        return Slice(ordinal, sample, Block(count, last, number, start, array("Q", stops), parsed, line))

    # ------------------------------------------------------------------------------------------ what is settled

    def settle(self, row: Settled) -> None:
        """Record that consecutive samples need no further work."""
        self._write(f"INSERT INTO settled ({_SETTLED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", attrs.astuple(row))
        state = self.state
        state.each += row.each
        state.whole += row.whole
        state.whole_samples += row.whole_samples
        state.stored += row.stored
        state.dead += row.dead

    def settled(self, sample: int, limit: int = -1) -> Iterator[Settled]:
        """Yield what is settled from a sample on, in order; at most `limit` rows."""
        rows = self._connection.execute(
            f"SELECT {_SETTLED} FROM settled WHERE sample >= ? ORDER BY sample LIMIT ?", (sample, limit)
        )
        return (Settled(*row) for row in rows)

    def unsettled(self, sample: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges (first, stop) of samples from `sample` on that are split and not settled."""
        for row in self.settled(sample):
            if row.index > sample:
                yield sample, row.index
            sample = row.stop
        if sample < self.state.samples:
            yield sample, self.state.samples

    # ------------------------------------------------------------------------------------------ failures

    def put_piece(self, piece: Piece) -> None:
        """Add or replace a piece."""
        self._write(
            f"INSERT OR REPLACE INTO pieces ({_PIECE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*piece.key, piece.index, piece.attempts, piece.interruptions, piece.crashes, piece.state),
        )

    def open_pieces(self) -> list[Piece]:
        """Return the pieces that are still to be tried, in order."""
        rows = self._connection.execute(f"SELECT {_PIECE} FROM pieces WHERE state = 'open' ORDER BY ordinal, skip")
        return [Piece(*row) for row in rows]

    def pieces_of(self, ordinal: int) -> list[Piece]:
        """Return every piece of one batch."""
        rows = self._connection.execute(
            f"SELECT {_PIECE} FROM pieces WHERE ordinal = ? ORDER BY skip, take DESC", (ordinal,)
        )
        return [Piece(*row) for row in rows]

    def add_error(self, kind: str, message: str, traceback: str) -> int:
        """Record an error once, however often it happens; return its number."""
        text = (kind, message, traceback)
        self._write("INSERT OR IGNORE INTO errors (type, message, traceback) VALUES (?, ?, ?)", text)
        query = "SELECT number FROM errors WHERE type = ? AND message = ? AND traceback = ?"
        number: int = self._connection.execute(query, text).fetchone()[0]
        return number

    def error(self, number: int) -> tuple[str, str, str]:
        """Return type, message and traceback of an error."""
        query = "SELECT type, message, traceback FROM errors WHERE number = ?"
        kind, message, traceback = self._connection.execute(query, (number,)).fetchone()
        return kind, message, traceback

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Record a sample that was given up on."""
        self._write("INSERT INTO dead_letters VALUES (?, ?, ?, ?)", attrs.astuple(letter))

    def dead_letters(self) -> Iterator[DeadLetter]:
        """Yield the samples that were given up on, in order."""
        rows = self._connection.execute("SELECT sample, ordinal, attempts, error FROM dead_letters ORDER BY sample")
        return (DeadLetter(*row) for row in rows)

    def count_dead_letters(self) -> int:
        """Count the samples that were given up on."""
        count: int = self._connection.execute("SELECT count(*) FROM dead_letters").fetchone()[0]
        return count

    # ------------------------------------------------------------------------------------------ workers

    def add_worker(self, name: str, pid: int, started: str) -> None:
        """Record a worker process; `started` tells it from a later process of the same pid."""
        self._write("INSERT INTO workers VALUES (?, ?, ?, ?)", (name, self.state.epoch, pid, started))

    def remove_worker(self, name: str) -> None:
        """Forget a worker process that has ended."""
        self._write("DELETE FROM workers WHERE name = ?", (name,))

    def workers(self) -> list[tuple[str, int, str]]:
        """Return name, pid and start of each worker process that was not seen to end."""
        return list(self._connection.execute("SELECT name, pid, started FROM workers ORDER BY name"))


def _probe(path: Path) -> None:
    """Raise the OSError that SQLite keeps to itself: its files are three at most.

    The folder is opened, not the file: closing one descriptor of a file gives up all locks of this process on it.
    """
    with ExitStack() as stack:
        for _ in range(3):
            stack.callback(os.close, os.open(path.parent, os.O_RDONLY))
