"""Frames between coordinator and worker: plain data as JSON behind a length, no pickle, so that both ends may be different
interpreters with different versions of everything.

Coordinator to worker: `become` (to one that stands by), `setup`, `total`, `inputs`, `lease`, `drop`, `halt`,
`complete`, `finish`.
Worker to coordinator: `standing` (one that stands by), `hello`, `checked`, `ready`, `broken`, `report`, `unwritable`,
`completed`, `bye`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

import orjson

from insula import exact
from insula.errors import ProtocolError

# Raised with every change that an older peer would misread; both ends say theirs at the start.
VERSION = 1

_LENGTH = struct.Struct("<I")


# No frame of insula's comes near it: what says that it is longer is not from insula.
LONGEST = 1 << 30


def encode(frame: Mapping[str, Any]) -> bytes:
    """Return the body of a frame."""
    return exact.dumps(frame, users="job_spec" in frame, option=orjson.OPT_NON_STR_KEYS)


def decode(body: bytes) -> dict[str, Any]:
    """Return the frame of a body.

    Raises:
        ProtocolError: if it is none.
    """
    try:
        frame = exact.loads(body)
    except ValueError as error:
        raise ProtocolError(f"{len(body):,} bytes that are no frame: {error}") from error
    if not isinstance(frame, dict):
        raise ProtocolError(f"a {type(frame).__name__} where a frame should be")
    return frame


def pack(frame: Mapping[str, Any]) -> bytes:
    """Return a frame as bytes for the wire."""
    body = encode(frame)
    return _LENGTH.pack(len(body)) + body


def receive(connected: socket.socket) -> dict[str, Any] | None:
    """Wait for one frame and take not a byte more; None if the other end is closed.

    Raises:
        ProtocolError: if it is no frame.
    """
    head = connected.recv(_LENGTH.size, socket.MSG_WAITALL)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = connected.recv(length, socket.MSG_WAITALL)
    return decode(body) if len(body) == length else None


class Unpacker:
    """Turns bytes as they arrive into whole frames."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Add bytes; return the frames that they complete.

        Raises:
            ProtocolError: if they are no frames; nothing can be read behind them.
        """
        pending, frames, start = self._pending, [], 0
        pending += data
        while len(pending) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(pending, start)
            if length > LONGEST:
                raise ProtocolError(f"a frame of {length:,} bytes, more than any is long")
            stop = start + _LENGTH.size + length
            if len(pending) < stop:
                break
            frames.append(decode(bytes(pending[start + _LENGTH.size : stop])))
            start = stop
        del pending[:start]
        return frames
