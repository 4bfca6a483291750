"""The ordered export: settled samples, in input order, appended to one file while the job runs.

Only the coordinator writes this file. The watermark in the ledger says how much of it is synced; a coordinator that takes over
cuts the file back to it. (An export only at the end makes a resume at 99 % cost several times its work.)
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from insula import failpoints
from insula.errors import ConservationError, JobError, OutputError
from insula.folder import sync_folder
from insula.ledger import Ledger, Settled
from insula.records import frozen
from insula.results.parts import sync_data, write_all

_CHUNK = 1024 * 1024
# A sync costs milliseconds whatever its size, and what is not yet synced is exported again after a crash.
_SYNC_BYTES = 16 * 1024 * 1024
_SYNC_SECONDS = 1.0
# Threads that delete at a time: to free what a part holds takes the system as long as to copy it.
_REMOVING = 2


@frozen
class Mark:
    """How far the export has come: the first sample not in it, its bytes and lines, and the parts no longer needed."""

    index: int
    bytes: int
    lines: int
    parts: tuple[str, ...] = ()


class Exporter:
    """Copies settled samples from the parts into `target`.

    Args:
        ledger: whose state holds the watermark, which this object moves.
        parts: the folder of the parts.
        target: the file, cut back to the watermark here.

    Raises:
        JobError: if the file is shorter than the watermark.
    """

    def __init__(self, ledger: Ledger, parts: Path, target: Path) -> None:
        self._ledger = ledger
        self._parts = parts
        self.target = target
        state = ledger.state
        self._mark = Mark(state.exported, state.exported_bytes, state.exported_lines)
        self._descriptor = self._open(target, self._mark.bytes)
        self._buffer = bytearray(_CHUNK)
        self._sources: dict[str, int] = {}
        self._owed: dict[str, int] = {}
        self._closed: set[str] = set()
        self._sync: _Sync | None = None
        self._removals: list[_Removal] = []
        self._synced = self._mark
        self._last_sync = time.monotonic()
        self._settled_next = True

    @staticmethod
    def _open(target: Path, length: int) -> int:
        try:
            descriptor = os.open(target, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror}") from error
        if (found := os.fstat(descriptor).st_size) < length:
            os.close(descriptor)
            raise JobError(f"{target} has {found:,} bytes, and {length:,} of it were already complete: it was changed")
        os.ftruncate(descriptor, length)
        os.lseek(descriptor, length, os.SEEK_SET)
        return descriptor

    # ------------------------------------------------------------------------------------------ parts

    def expect(self, row: Settled) -> None:
        """Learn of a settled row that is still to be exported."""
        if row.length:
            self._owed[row.part] = self._owed.get(row.part, 0) + row.length
        if row.index == self._mark.index:
            self._settled_next = True

    def part_closed(self, part: str) -> None:
        """Learn that nothing more is appended to a part, so that it goes once it is exported."""
        self._closed.add(part)

    def adopt(self) -> None:
        """After a restart: every part is closed, and those without a row to export go at once."""
        for row in self._ledger.settled(self._mark.index):
            self.expect(row)
        for path in self._parts.iterdir():
            if path.name in self._owed:
                self._closed.add(path.name)
            else:
                path.unlink()

    def _finished_parts(self) -> tuple[str, ...]:
        return tuple(part for part in self._closed if not self._owed.get(part))

    # ------------------------------------------------------------------------------------------ copying

    def step(self, budget: int = 2 * _CHUNK) -> bool:
        """Copy about `budget` bytes of what is settled next, while workers wait; return whether there may be more."""
        while self._settled_next and budget > 0:
            rows = 0
            for row in self._ledger.settled(self._mark.index, 64):
                if row.index != self._mark.index:
                    break
                self._append(row)
                rows += 1
                budget -= row.length + 1
                if budget <= 0:
                    break
            self._settled_next = rows > 0
        return self._settled_next

    def _append(self, row: Settled) -> None:
        with failpoints.around("export"):
            lines = self._copy(row.part, row.offset, row.length) if row.length else 0
        mark = self._mark
        self._mark = Mark(row.stop, mark.bytes + row.length, mark.lines + lines)
        if row.length:
            self._owed[row.part] -= row.length

    def _copy(self, part: str, offset: int, length: int) -> int:
        """Append bytes of a part; return how many lines were in them."""
        source, lines, stop = self._source(part), 0, offset + length
        while offset < stop:
            view = memoryview(self._buffer)[: min(_CHUNK, stop - offset)]
            count = os.preadv(source, [view], offset)
            if count == 0:
                raise OutputError(f"{self._parts / part} ends before byte {stop:,}: it was changed from outside")
            lines += self._buffer.count(b"\n", 0, count)
            write_all(self._descriptor, view[:count])
            offset += count
        return lines

    def _source(self, part: str) -> int:
        if part not in self._sources:
            if len(self._sources) >= 16:
                os.close(self._sources.pop(next(iter(self._sources))))
            try:
                self._sources[part] = os.open(self._parts / part, os.O_RDONLY)
            except FileNotFoundError as error:
                raise OutputError(f"{self._parts / part} is missing: it was deleted from outside") from error
        return self._sources[part]

    # ------------------------------------------------------------------------------------------ the watermark

    def synchronise(self) -> None:
        """Move the watermark in the ledger's state where a sync has ended, and begin the next where one is due."""
        if self._sync is not None and self._sync.ended():
            self._advance(self._sync.mark)
            self._sync = None
        waiting = self._mark.bytes - self._synced.bytes
        due = waiting >= _SYNC_BYTES or time.monotonic() - self._last_sync >= _SYNC_SECONDS
        if self._sync is None and due and self._mark.index > self._synced.index:
            self._last_sync = time.monotonic()
            self._sync = _Sync(self._descriptor, attrs.evolve(self._mark, parts=self._finished_parts()))

    def _advance(self, mark: Mark) -> None:
        state = self._ledger.state
        if not state.exported_bytes:
            # A file whose name is lost with the power would be missed by a ledger that says how much of it is complete.
            sync_folder(self.target.parent)
        state.exported, state.exported_bytes, state.exported_lines = mark.index, mark.bytes, mark.lines
        with failpoints.around("watermark"):
            self._ledger.commit()
        self._synced = mark
        self._remove(mark.parts)

    def _remove(self, parts: Sequence[str]) -> None:
        for part in parts:
            if part in self._sources:
                os.close(self._sources.pop(part))
            self._closed.discard(part)
            self._owed.pop(part, None)
        self._removals = [one for one in self._removals if not one.ended()]
        for first in range(min(len(parts), _REMOVING)):
            self._removals.append(_Removal([self._parts / part for part in parts[first::_REMOVING]]))

    @property
    def exported(self) -> int:
        """The first sample that is not yet in the file, synced or not."""
        return self._mark.index

    def finish(self) -> None:
        """Copy all that is settled, sync, and move the watermark to the end.

        Raises:
            ConservationError: if the file has another size than what was copied.
        """
        while self.step():
            pass
        if self._sync is not None:
            self._sync.wait()
        self._check_size()
        sync_data(self._descriptor)
        self._mark = attrs.evolve(self._mark, parts=self._finished_parts())
        self._advance(self._mark)
        # Waste: begun and never reported.
        self._remove([path.name for path in self._parts.iterdir() if path.name not in self._mark.parts])

    def wait_for_removals(self) -> None:
        """Return when every part that is no longer needed is gone.

        Raises:
            OutputError: if one cannot be deleted.
        """
        while self._removals:
            self._removals.pop().wait()

    def _check_size(self) -> None:
        found = os.fstat(self._descriptor).st_size
        if found != self._mark.bytes:
            raise ConservationError(
                f"{self.target} has {found:,} bytes, but {self._mark.bytes:,} bytes of results were copied into it: "
                "this is a fault of insula, or another program wrote to the file; please report it with the job's folder"
            )

    def rename(self, name: str) -> Path:
        """Give the complete file its name; the caller syncs the folder when all results have theirs."""
        final = self.target.with_name(name)
        with failpoints.around("rename"):
            self.target.replace(final)
        return final

    def close(self) -> None:
        """Close every file; what was not synced is exported again by the next coordinator."""
        sync, self._sync = self._sync, None
        try:
            if sync is not None:
                sync.wait()
            self.wait_for_removals()
        finally:
            for descriptor in (*self._sources.values(), self._descriptor):
                os.close(descriptor)
            self._sources.clear()


class _Sync:
    """One `fdatasync` in a thread of its own: on a slow disk it takes seconds, which workers must not wait for."""

    def __init__(self, descriptor: int, mark: Mark) -> None:
        self.mark = mark
        self._error: OSError | None = None
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._run, name="insula-sync", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            sync_data(self._descriptor)
        except OSError as error:
            self._error = error

    def ended(self) -> bool:
        if self._thread.is_alive():
            return False
        self.wait()
        return True

    def wait(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise OutputError(f"cannot write the results: {self._error.strerror}") from self._error


class _Removal:
    """Deletes parts in a thread of its own: to free what a part holds takes the system as long as to copy it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._failed: tuple[Path, OSError] | None = None
        self._thread = threading.Thread(target=self._run, name="insula-removal", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for path in self._paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self._failed = path, error

    def ended(self) -> bool:
        return not self._thread.is_alive() and self._failed is None

    def wait(self) -> None:
        self._thread.join()
        if self._failed is not None:
            path, error = self._failed
            raise OutputError(f"cannot delete {path}: {error.strerror}") from error
