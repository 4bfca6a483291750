"""Fuzzers: ten thousand cases each, `INSULA_TEST_FUZZ` for another number; each must be cheap, so no processes.

What is asked of every case: no error but insula's own, no hang, no memory that grows.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings

# A hang is found by it; a case takes a millisecond, and a machine may be loaded.
_DEADLINE = timedelta(seconds=10)
_MOST_MEMORY = 512 * 1024  # kB, hypothesis' own included

settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("INSULA_TEST_FUZZ", "10000")),
    deadline=_DEADLINE,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.fixture(autouse=True)
def _no_runaway_memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _MOST_MEMORY
