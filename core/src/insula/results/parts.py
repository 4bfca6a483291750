"""Parts: files that one worker process creates, appends to and closes.

Nobody opens a part that another began and nothing is ever cut back: the ledger says which bytes are results, all others are
waste. (Truncating instead corrupts committed results as soon as a worker outlives its coordinator.)
"""

from __future__ import annotations

import os
from pathlib import Path

from insula import failpoints

# Parts are deleted once they are exported, which small ones are while the job still runs: that needs less disk, and leaves
# less to delete at the end. Each costs a file and a sync of the folder.
LIMIT = 16 * 1024 * 1024


class PartWriter:
    """Appends to one part after the other.

    Args:
        folder: where the parts are.
        stem: names this process: no other ever has the same.
        limit: bytes after which a part is closed and the next one begun.
    """

    def __init__(self, folder: Path, stem: str, limit: int = LIMIT) -> None:
        self._folder = folder
        self._stem = stem
        self._limit = limit
        self._number = 0
        self._descriptor = -1
        self._length = 0
        self.name = ""

    def append(self, data: bytes) -> int:
        """Write `data` to the current part (`name`) and return its offset; durable after `sync`."""
        if self._descriptor < 0 or self._length >= self._limit:
            self._begin()
        offset = self._length
        with failpoints.around("part-write"):
            write_all(self._descriptor, data)
        self._length += len(data)
        return offset

    def sync(self) -> None:
        """Make what was appended durable."""
        with failpoints.around("sync"):
            if self._descriptor >= 0:
                sync_data(self._descriptor)

    def close(self) -> None:
        """Close the current part."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _begin(self) -> None:
        self.close()
        self._number += 1
        self._length = 0
        self.name = f"{self._stem}-{self._number}.part"
        self._descriptor = os.open(self._folder / self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`; a short write (a full disk, a signal) is continued until it is done or an error."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def sync_data(descriptor: int) -> None:
    """Make a file's content durable: `fdatasync` where there is one, `fsync` elsewhere (macOS)."""
    getattr(os, "fdatasync", os.fsync)(descriptor)
