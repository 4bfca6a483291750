from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from insula.coordinator.limits import Limits
from insula.ledger import State


def limits(state: State, *crew: Any, **submission: Any) -> Limits:
    none = dict.fromkeys(("timeout", "max_failed_batches", "startup_timeout", "batch_timeout"))
    job: Any = SimpleNamespace(submission=SimpleNamespace(**{**none, **submission}), memory=None)
    return Limits(job, crew, state)  # type: ignore[arg-type]


@pytest.mark.parametrize("earlier", [0.0, 5.0, 11.0, 500.0])
def test_timeout(earlier: float) -> None:
    """The lives of a job count together; one that was over its limit and is resumed has it anew."""
    state = State(running=earlier)
    found = limits(state, timeout=10.0)
    left = 10.0 if earlier > 10 else 10.0 - earlier
    state.running = earlier + left
    assert found.check(0.0) is None
    state.running += 0.1
    ending = found.check(0.0)
    assert ending is not None
    assert (ending.status, ending.message) == ("timed_out", "the job ran for 10 s, its timeout")


@pytest.mark.parametrize("earlier", [0, 2, 4, 50])
def test_max_failed_batches(earlier: int) -> None:
    state = State(failed=earlier)
    found = limits(state, max_failed_batches=3)
    state.failed = earlier + 3 if earlier > 3 else 3
    assert found.check_failures() is None
    state.failed += 1
    ending = found.check_failures()
    assert ending is not None
    assert ending.status == "worker_error"
    assert ending.message == f"{state.failed} batches failed; max_failed_batches is 3"


def test_no_limits() -> None:
    state = State(running=1e9, failed=10**9)
    assert limits(state).check(0.0) is None
    assert limits(state).check_failures() is None
