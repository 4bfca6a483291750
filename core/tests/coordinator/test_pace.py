from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insula.coordinator.pace import Pace


def test_the_first_lease_is_one_batch() -> None:
    assert Pace().lease(1000, 2) == 1
    assert Pace().seconds is None


def test_a_lease_is_50_to_100_ms_of_work() -> None:
    pace = Pace()
    for _ in range(10):
        pace.learn(10, 10 * 0.002)
    assert 0.05 <= pace.lease(1_000_000, 2) * 0.002 <= 0.1


def test_a_batch_that_takes_longer_is_a_lease() -> None:
    pace = Pace()
    pace.learn(1, 3.0)
    assert pace.lease(1_000_000, 2) == 1


def test_one_fast_batch_is_no_measure_yet() -> None:
    pace = Pace()
    pace.learn(1, 0.0)
    assert pace.lease(1_000_000, 2) <= 64


def test_towards_the_end_leases_are_a_fair_share_of_what_is_left() -> None:
    pace = Pace()
    for _ in range(10):
        pace.learn(1, 0.001)
    assert pace.lease(100, 2) == 25


def test_a_fair_share_is_not_so_small_that_its_sync_costs_more_than_its_work() -> None:
    pace = Pace()
    for _ in range(10):
        pace.learn(100, 100 * 0.00001)
    assert pace.lease(8, 2) * 0.00001 >= 0.001


def test_a_report_of_nothing_teaches_nothing() -> None:
    pace = Pace()
    pace.learn(0, 1.0)
    assert pace.seconds is None


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1000)), max_size=20),
    st.integers(1, 10**7),
    st.integers(1, 64),
)
def test_a_lease_is_never_empty_and_never_unbounded(
    learned: list[tuple[int, float]], waiting: int, workers: int
) -> None:
    pace = Pace()
    for batches, seconds in learned:
        pace.learn(batches, seconds)
    found = pace.lease(waiting, workers)
    assert found >= 1
    if pace.seconds is not None:
        assert found == 1 or found * pace.seconds <= 0.1
