from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from insula.worker.protocol import Unpacker, pack

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
frames = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=6)


@given(frames, st.data())
def test_frames_arrive_whole_however_the_bytes_are_cut(sent: list[dict[str, Any]], data: st.DataObject) -> None:
    wire = b"".join(map(pack, sent))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(wire)), max_size=10)))
    unpacker = Unpacker()
    received: list[dict[str, Any]] = []
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        received += unpacker.feed(wire[start:stop])
    assert received == sent


@given(frames)
def test_a_frame_comes_with_its_last_byte(sent: list[dict[str, Any]]) -> None:
    unpacker = Unpacker()
    for frame in sent:
        packed = pack(frame)
        for position in range(len(packed) - 1):
            assert unpacker.feed(packed[position : position + 1]) == []
        assert unpacker.feed(packed[-1:]) == [frame]


def test_numbers_may_be_keys() -> None:
    assert Unpacker().feed(pack({"a": {1: "x"}})) == [{"a": {"1": "x"}}]
