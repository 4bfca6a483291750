"""Frames between coordinator and worker: plain data as JSON behind a length, no pickle, so that both ends may be different
interpreters with different versions of everything.

Coordinator to worker: `become` (to one that stood by), `setup`, `total`, `inputs`, `lease`, `drop`, `halt`,
`complete`, `finish`.
Worker to coordinator: `hello`, `checked`, `ready`, `broken`, `report`, `unwritable`, `completed`, `bye`.
"""

from __future__ import annotations

import struct
from typing import Any

import orjson

# Raised with every change that an older peer would misread; both ends say theirs at the start.
VERSION = 1

_LENGTH = struct.Struct("<I")


def pack(frame: dict[str, Any]) -> bytes:
    """Return a frame as bytes for the wire."""
    body = orjson.dumps(frame, option=orjson.OPT_NON_STR_KEYS)
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Turns bytes as they arrive into whole frames."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Add bytes; return the frames that they complete."""
        pending, frames, start = self._pending, [], 0
        pending += data
        while len(pending) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(pending, start)
            stop = start + _LENGTH.size + length
            if len(pending) < stop:
                break
            frames.append(orjson.loads(bytes(pending[start + _LENGTH.size : stop])))
            start = stop
        del pending[:start]
        return frames
