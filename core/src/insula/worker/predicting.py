"""Predicting one batch and encoding what comes of it."""

from __future__ import annotations

import os
import sys
import time

from insula import failpoints
from insula.descriptors import Payload, Predictions, Predictor, WorkerContext
from insula.hooks import Hooks
from insula.spec import BatchRef
from insula.worker.batch_ids import of_batch, of_piece
from insula.worker.cell import Cell
from insula.worker.encoding import encode_each, encode_whole
from insula.worker.forked import end_child
from insula.worker.report import Report
from insula.worker.tracebacks import Failure, describe


class Predicting:
    """Predicts batches and adds what came of them to a report.

    Args:
        batch_prefix: what all batch ids of the job begin with.
        join_input: whether each line repeats its input.
        passing: exceptions that are no failure of a batch but end whatever runs.
    """

    def __init__(
        self,
        hooks: Hooks,
        context: WorkerContext,
        predictor: Predictor,
        cell: Cell,
        batch_prefix: str,
        join_input: bool,
        passing: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._hooks = hooks
        self._hook = hooks.predict_batch
        self._context = context
        self._predictor = predictor
        self._cell = cell
        self._prefix = batch_prefix
        self._join = join_input
        self._passing = passing
        self._process = os.getpid()

    def batch(self, report: Report, reference: BatchRef, payload: Payload) -> None:
        """Predict a whole batch."""
        batch_id = of_batch(self._prefix, reference.ordinal)
        self._run(report, reference, payload, 0, reference.count, batch_id)

    def piece(self, report: Report, reference: BatchRef, payload: Payload, skip: int, take: int) -> None:
        """Predict the samples at positions `skip` to `skip + take` of a batch, which `payload` holds whole."""
        batch_id = of_piece(self._prefix, reference.ordinal, skip, take)
        self._run(report, reference, _part(payload, skip, take), skip, take, batch_id)

    def _run(self, report: Report, reference: BatchRef, payload: Payload, skip: int, take: int, batch_id: str) -> None:
        report.batches += 1
        try:
            lines, each, whole, stored, letters = self._outcome(report, reference, payload, skip, batch_id)
        except self._passing:
            raise
        except BaseException as error:  # sys.exit() in predict is a failure of the batch like any other
            report.fail(reference.ordinal, skip, take, describe(error), retry=True)
            return
        row = report.row(reference.index + skip)
        row.samples += take
        row.batches += take == reference.count
        row.length += len(lines)
        row.each += each
        row.whole += whole > 0
        row.whole_samples += whole
        row.stored += stored
        report.chunks.append(lines)
        if letters:
            row.dead += len(letters)
            for position, failure in letters:
                report.give_up(reference.ordinal, reference.index + position, failure)

    def _outcome(
        self, report: Report, reference: BatchRef, payload: Payload, skip: int, batch_id: str
    ) -> tuple[bytes, int, int, int, list[tuple[int, Failure]]]:
        """Return the lines of a batch, how many samples got a line each, share one and were stored, and the lost."""
        letters = [(bad.position, Failure("Unreadable", bad.error, "")) for bad in payload.unreadable]
        count = len(payload.samples)
        if not count:
            return b"", 0, 0, 0, letters
        predictions = self._call(reference.ordinal, skip, payload, batch_id)
        if predictions.kind == "stored":
            return b"", 0, 0, count, letters
        inputs = payload.raw if self._join else None
        index = reference.index if payload.index is None else payload.index
        if predictions.kind == "each":
            encoded = encode_each(predictions.values, index, batch_id, payload.positions, inputs)
            letters += [(position, Failure("TypeError", text, "")) for position, text in encoded.failures]
            report.non_finite += encoded.non_finite
            return encoded.lines, encoded.count, 0, 0, letters
        encoded = encode_whole(predictions.values, index + skip, count, batch_id, inputs=inputs)
        if encoded.failures:
            raise TypeError(encoded.failures[0][1])
        report.non_finite += encoded.non_finite
        return encoded.lines, 0, count, 0, letters

    def _call(self, ordinal: int, skip: int, payload: Payload, batch_id: str) -> Predictions:
        self._cell.predicting(ordinal, skip, time.monotonic())
        if failpoints.armed:
            failpoints.reach("predict", "before")
        try:
            answer = self._hook(
                context=self._context, predictor=self._predictor, payload=payload.samples, batch_id=batch_id
            )
        finally:
            if os.getpid() != self._process:
                end_child(sys.exc_info()[1])
            self._cell.predicted()
        if failpoints.armed:
            failpoints.reach("predict", "after")
        if type(answer) is not Predictions:
            raise self._hooks.wrong_answer("insula_predict_batch", Predictions, answer)
        return answer


def _part(payload: Payload, skip: int, take: int) -> Payload:
    """Return the samples of a batch whose positions are in a range, positions kept."""
    chosen = range(skip, skip + take)
    positions = range(len(payload.samples)) if payload.positions is None else payload.positions
    kept = [at for at, position in enumerate(positions) if position in chosen]
    return Payload(
        samples=[payload.samples[at] for at in kept],
        positions=[positions[at] for at in kept],
        unreadable=tuple(bad for bad in payload.unreadable if bad.position in chosen),
        raw=None if payload.raw is None else [payload.raw[at] for at in kept],
        index=payload.index,
    )
