"""How much of a lease a worker does before it gives the rest back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from insula.descriptors import Payload
from insula.spec import BatchRef, Block, Slice
from insula.worker import leases
from insula.worker.leases import Leases
from insula.worker.report import Report


class Clock:
    """What the worker takes for the time."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Reader:
    """Gives every batch one sample."""

    def read(self, references: list[BatchRef], skip: int = 0) -> Iterator[Payload]:
        return (Payload([one.ordinal]) for one in references)


class Predicting:
    """Takes some seconds a batch."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds

    def batch(self, report: Report, reference: BatchRef, payload: Payload) -> None:
        self.clock.now += self.seconds
        report.batches += 1


class Writer:
    """Keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def put(self, report: Report) -> None:
        self.reports.append(report)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(leases, "time", clock)
    return clock


def lease(batches: int) -> dict[str, Any]:
    """The frame of a lease of so many batches of one sample, two in each slice."""
    block = Block(1, 1, 0, 0, (10, 20), ())
    slices = [Slice(first, first, block).to_plain() for first in range(0, batches, 2)]
    return {"type": "lease", "lease": 7, "slices": slices, "pieces": []}


def test_a_lease_that_takes_what_it_should_is_done_whole(clock: Clock) -> None:
    writer = Writer()
    Leases(Reader(), Predicting(clock, 0.0005), writer).run(lease(100))
    assert [report.done for report in writer.reports] == [True]
    assert sum(report.batches for report in writer.reports) == 100


@pytest.mark.parametrize("seconds, done", [(0.02, 15), (0.15, 2), (5.0, 1)])
def test_the_rest_of_one_that_takes_long_goes_back(clock: Clock, seconds: float, done: int) -> None:
    writer = Writer()
    Leases(Reader(), Predicting(clock, seconds), writer).run(lease(100))
    # The last report says that the worker is done with the lease; the coordinator gives the rest to others.
    assert [report.done for report in writer.reports] == [False] * (len(writer.reports) - 1) + [True]
    assert sum(report.batches for report in writer.reports) in (done, done + 1)  # sums of fractions are not exact
