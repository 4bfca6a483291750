"""Bytes from a peer, whatever they are: both ends of the socket read them with the same code."""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insula.errors import ProtocolError
from insula.worker.protocol import LONGEST, Unpacker, pack

pytestmark = pytest.mark.timeout(1200)
fuzz = settings.get_profile("fuzz")

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["\ud800", 10**40, math.nan, math.inf]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
# Frames that carry the user's settings keep them as they are.
frames = st.fixed_dictionaries({"type": st.sampled_from(["setup", "total", "complete"]), "job_spec": values})
bodies = st.sampled_from(
    [b"", b"null", b"[]", b"1", b" {}", b"{", b" {", b'{"a":\xff}', b"[" * 3000, b" " + b"[" * 100_000]
)
lengths = st.sampled_from([0, 1, 4, LONGEST, LONGEST + 1, 2**31, 2**32 - 1])


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    """Return the wire in pieces."""
    ends = sorted({0, len(wire), *(place % (len(wire) + 1) for place in places)})
    return [wire[start:stop] for start, stop in itertools.pairwise(ends)]


def read(pieces: list[bytes]) -> list[dict[str, Any]]:
    unpacker = Unpacker()
    return [frame for piece in pieces for frame in unpacker.feed(piece)]


@fuzz
@given(st.lists(frames, max_size=3), st.lists(st.integers(0, 1000), max_size=4))
def test_frames_arrive_exactly(sent: list[dict[str, Any]], places: list[int]) -> None:
    # NaN is not itself, but its text is.
    assert repr(read(cut(b"".join(map(pack, sent)), places))) == repr(sent)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Frames of which some bytes are others, or are gone, or have others before them."""
    wire = bytearray(b"".join(map(pack, draw(st.lists(frames, min_size=1, max_size=3)))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(wire)))
        wire[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=5))
    return bytes(wire)


@fuzz
@given(
    damaged()
    | st.binary(max_size=60)
    | st.tuples(lengths, bodies).map(lambda one: struct.pack("<I", one[0]) + one[1])
    | bodies.map(lambda body: struct.pack("<I", len(body)) + body),
    st.lists(st.integers(0, 1000), max_size=4),
)
def test_bytes_that_are_no_frames(wire: bytes, places: list[int]) -> None:
    message, found = "", list[dict[str, Any]]()
    try:
        found = read(cut(wire, places))
    except ProtocolError as error:
        message = str(error)
    assert len(message) < 300
    assert all(isinstance(frame, dict) for frame in found)
