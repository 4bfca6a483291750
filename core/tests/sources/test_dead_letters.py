from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.descriptors import Position, SplitContext
from insula.errors import SourceError
from insula.sources.dead_letters import DeadLetters, plugin, spool_dead_letters
from insula.spec import BatchRef, Slice


def references(context: SplitContext, after: Position | None = None) -> list[BatchRef]:
    ordinal, index = (after.batches, after.samples) if after else (0, 0)
    found = []
    for block in plugin.insula_split(context, plugin.insula_list(context), after):
        placed = Slice(ordinal, index, block)
        found += list(Slice.from_plain(placed.to_plain()).references())
        ordinal, index = placed.stop, index + block.samples
    return found


@given(
    indexes=st.sets(st.integers(0, 60), min_size=1).map(sorted),
    size=st.integers(1, 5),
    cut=st.integers(0, 60),
)
def test_batches_hold_samples_that_follow_each_other(indexes: list[int], size: int, cut: int) -> None:
    with TemporaryDirectory() as folder:
        context = SplitContext(DeadLetters("01a2", size), Path(folder), Path(folder))
        letters = [(index, b"{" if index % 7 == 3 else b'{"a": %d}' % index) for index in indexes]
        assert spool_dead_letters(iter(letters), Path(folder)) == len(indexes)
        batches = references(context)
        inputs = dict(enumerate(plugin.insula_list(context)))
        payloads = list(plugin.insula_read(inputs, batches))

        # Every sample once, in order, under its own index.
        seen = []
        for reference, payload in zip(batches, payloads, strict=True):
            assert 1 <= reference.count <= size
            assert payload.index is not None
            seen += range(payload.index, payload.index + reference.count)
            positions = payload.positions or range(len(payload.samples))
            for position, sample in zip(positions, payload.samples, strict=True):
                assert sample == {"a": payload.index + position}
            assert {payload.index + bad.position for bad in payload.unreadable} == {
                index for index in range(payload.index, payload.index + reference.count) if index % 7 == 3
            }
        assert seen == indexes

        # A split goes on where it stood.
        done = batches[: cut % (len(batches) + 1)]
        if done:
            after = Position(len(done), sum(one.count for one in done), 0, done[-1].extents[-1].stop)
            assert [*done, *references(context, after)] == batches


def test_nothing_was_spooled(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="insula retry 01a2"):
        plugin.insula_list(SplitContext(DeadLetters("01a2"), tmp_path, tmp_path))


def test_a_place_names_the_job(tmp_path: Path) -> None:
    context = SplitContext(DeadLetters("01a2"), tmp_path, tmp_path)
    spool_dead_letters([(5, b"1")], tmp_path)
    inputs = dict(enumerate(plugin.insula_list(context)))
    (block,) = plugin.insula_split(context, list(inputs.values()), None)
    (place,) = plugin.insula_locate(inputs, Slice(0, 0, block), 0, [0])
    assert attrs.astuple(place) == ("dead letters of job 01a2", None)


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_has_a_sample(size: int) -> None:
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        DeadLetters("01a2", size)
