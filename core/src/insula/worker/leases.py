"""Working through a lease: read, predict, and report as results become worth reporting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from insula import failpoints
from insula.descriptors import Payload
from insula.errors import InputChangedError
from insula.spec import BatchRef, Slice
from insula.worker.predicting import Predicting
from insula.worker.reading import Reader
from insula.worker.report import Report
from insula.worker.tracebacks import describe
from insula.worker.writing import Writer

# A lease that takes longer is reported in parts, so that little is done twice after a death.
_REPORT_EVERY = 0.1
# A lease is meant to take less than a third of this (seconds). Of one that was thought too easy the rest goes back, so that no
# worker sits on what others could do, and one in the coordinator's thread comes back to it.
_LONG = 0.3


class Leases:
    """Runs the batches of one lease after the other.

    Attributes:
        halted: set, from any thread, to end the lease behind the batch that runs.
        dropped: numbers of leases that others do now, added to from any thread.
    """

    def __init__(self, reader: Reader, predicting: Predicting, writer: Writer) -> None:
        self._reader = reader
        self._predicting = predicting
        self._writer = writer
        self._sequence = 0
        self.halted = False
        self.dropped: set[int] = set()

    def run(self, frame: Mapping[str, Any]) -> None:
        """Run a lease, given as its frame, and hand its reports to the writer."""
        if failpoints.armed:
            failpoints.reach("lease", "after")
        self._report = Report(frame["lease"])
        self._flushed = self._begun = time.monotonic()
        if frame["lease"] not in self.dropped:
            self._run_all(frame)
        self._report.done = True
        self._flush(time.monotonic())

    def _run_all(self, frame: Mapping[str, Any]) -> None:
        for plain in frame["slices"]:
            if not self._over:
                self._run_batches(list(Slice.from_plain(plain).references()))
        for plain, skip, take in frame["pieces"]:
            if not self._over:
                self._run_piece(next(Slice.from_plain(plain).references()), skip, take)

    def _run_batches(self, references: list[BatchRef]) -> None:
        clock, predict = time.monotonic, self._predicting.batch
        for reference, payload in zip(references, self._reader.read(references), strict=True):
            if isinstance(payload, Payload):
                predict(self._report, reference, payload)
            else:
                self._unread(reference, 0, reference.count, payload)
            now = clock()
            if self.halted or now - self._begun >= _LONG:
                return
            if now - self._flushed >= _REPORT_EVERY:
                self._flush(now)

    @property
    def _over(self) -> bool:
        return self.halted or time.monotonic() - self._begun >= _LONG

    def _run_piece(self, reference: BatchRef, skip: int, take: int) -> None:
        # It may end this process: what was done before is to be known by then, not to be done again.
        self._writer.drain()
        (payload,) = self._reader.read([reference], skip)
        if not isinstance(payload, Payload):
            self._unread(reference, skip, take, payload)
        elif take == reference.count:
            self._predicting.batch(self._report, reference, payload)
        else:
            self._predicting.piece(self._report, reference, payload, skip, take)

    def _unread(self, reference: BatchRef, skip: int, take: int, error: Exception) -> None:
        self._report.batches += 1
        again = not isinstance(error, InputChangedError)
        self._report.fail(reference.ordinal, skip, take, describe(error), retry=again)

    def _flush(self, now: float) -> None:
        report = self._report
        report.sequence, self._sequence = self._sequence, self._sequence + 1
        report.busy, self._flushed = now - self._flushed, now
        self._report = Report(report.lease)
        self._writer.put(report)
