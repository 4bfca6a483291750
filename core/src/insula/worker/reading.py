"""Reading payloads, ahead of the work where reading costs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insula import failpoints
from insula.descriptors import Payload
from insula.hooks import Hooks
from insula.spec import BatchRef, Input
from insula.worker.cell import Cell

# Below this a thread costs more than it hides: handing over one payload takes some 50 µs.
_WORTH_A_THREAD = 0.002


class Reader:
    """Reads the payloads of a lease's batches, in order.

    A read that took more than 2 ms on average makes the next lease be read in a thread, one payload ahead.
    """

    def __init__(self, hooks: Hooks, inputs: Mapping[int, Input], cell: Cell) -> None:
        self._hooks = hooks
        self._inputs = inputs
        self._cell = cell
        self._cost = 0.0

    def read(self, references: Sequence[BatchRef], skip: int = 0) -> Iterator[Payload | Exception]:
        """Yield for each reference its payload, or what its source raised."""
        payloads = self._measured(references, skip)
        return _ahead(payloads) if self._cost > _WORTH_A_THREAD and len(references) > 1 else payloads

    def _measured(self, references: Sequence[BatchRef], skip: int) -> Iterator[Payload | Exception]:
        cell, clock = self._cell, time.monotonic
        spent = 0.0
        remaining = self._begin(references)
        for position, reference in enumerate(references):
            begun = clock()
            cell.reading(reference.ordinal, skip, begun)
            if failpoints.armed:
                failpoints.reach("read", "before")
            try:
                answer: Payload | Exception = next(remaining)
            except StopIteration:
                answer = RuntimeError(f"the source answered {position} payloads for {len(references)} batches")
            except Exception as error:
                answer = error
                remaining = self._begin(references[position + 1 :])
            if failpoints.armed:
                failpoints.reach("read", "after")
            cell.read()
            spent += clock() - begun
            yield answer
        self._cost = spent / max(1, len(references))

    def _begin(self, references: Sequence[BatchRef]) -> Iterator[Payload]:
        payloads = self._hooks.read(inputs=self._inputs, references=references)
        if payloads is None:
            raise self._hooks.wrong_answer("insula_read", Iterator, payloads)
        # A generator, so that what a source raises before its first payload fails a batch, too, and not the worker.
        yield from payloads


def _ahead(payloads: Iterator[Any]) -> Iterator[Any]:
    """Run an iterator in a thread, one item ahead of its consumer."""
    ready: queue.Queue[Any] = queue.Queue(maxsize=1)
    end = object()
    failed: list[BaseException] = []

    def produce() -> None:
        try:
            for item in payloads:
                ready.put(item)
        except BaseException as error:
            failed.append(error)  # raised where somebody sees it, or the consumer would wait for ever
        ready.put(end)

    threading.Thread(target=produce, name="insula-reader", daemon=True).start()
    while (item := ready.get()) is not end:
        yield item
    if failed:
        raise failed[0]
