from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insula.coordinator.frontier import Frontier

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 9)),
        st.tuples(st.just("give back"), st.integers(0, 9)),
        st.tuples(st.just("extend"), st.integers(0, 9)),
        st.tuples(st.just("remove"), st.integers(0, 40)),
    ),
    max_size=40,
)


def test_what_is_left_over_comes_before_what_is_new_and_low_before_high() -> None:
    frontier = Frontier([(7, 9), (1, 3)], split=10)
    frontier.extend(12)
    taken = []
    while (found := frontier.take(5)) is not None:
        taken.append(found)
    assert taken == [(1, 3), (7, 9), (10, 12)]


@given(st.sets(st.integers(0, 19)), STEPS)
def test_each_batch_is_with_the_frontier_or_taken(left: set[int], steps: list[tuple[str, int]]) -> None:
    frontier = Frontier(_ranges(left), split=20)
    there, split, taken = set(left), 20, []
    for step, amount in steps:
        if step == "take":
            found = frontier.take(amount)
            assert (found is None) == (not there)
            if found is not None:
                batches = set(range(*found))
                assert 0 < len(batches) <= amount
                assert batches <= there
                assert found[0] == min(there)
                there -= batches
                taken.append(found)
        elif step == "give back" and taken:
            first, stop = taken.pop(amount % len(taken))
            frontier.give_back(first, stop)
            there |= set(range(first, stop))
        elif step == "extend":
            there |= set(range(split, split + amount))
            split += amount
            frontier.extend(split)
        elif step == "remove" and amount < 20:  # of what was left over
            assert frontier.remove(amount) == (amount in there)
            there.discard(amount)
        assert frontier.waiting == len(there)


def _ranges(ordinals: set[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for ordinal in sorted(ordinals):
        if found and found[-1][1] == ordinal:
            found[-1] = (found[-1][0], ordinal + 1)
        else:
            found.append((ordinal, ordinal + 1))
    return found
