"""An input, opened: byte ranges of it, and the check that it still is what was listed."""

from __future__ import annotations

import os
from types import TracebackType

import attrs

from insula.errors import InputChangedError, SourceError
from insula.spec import Input


def name_of(source: Input) -> str:
    """Return what messages call an input."""
    return source.name or source.uri


def changed(source: Input, what: str) -> InputChangedError:
    """Return the error for an input that is no longer what was listed; `what` is the difference."""
    return InputChangedError(
        f"{name_of(source)} is no longer what it was when the job listed it: {what}. "
        "Put the listed file back and resume, or start a new job."
    )


def stamp_of(status: os.stat_result) -> str:
    """Return the stamp of a local file: its modification time in nanoseconds."""
    return str(status.st_mtime_ns)


@attrs.define
class LocalFile:
    """A local input, opened by `open_input`; a context manager."""

    source: Input
    fd: int
    size: int

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on.

        Raises:
            InputChangedError: if the file ends before.
            SourceError: if it cannot be read.
        """
        data = self._pread(length, start)
        while len(data) < length:
            more = self._pread(length - len(data), start + len(data))
            if not more:
                raise changed(self.source, f"it ends at byte {start + len(data)}")
            data += more
        return data

    def check(self) -> None:
        """Raise InputChangedError if size or modification time are not those of the listing."""
        status = os.fstat(self.fd)
        if self.source.size is not None and status.st_size != self.source.size:
            raise changed(self.source, f"it had {self.source.size} bytes and now has {status.st_size}")
        if self.source.stamp is not None and stamp_of(status) != self.source.stamp:
            raise changed(self.source, "it was modified")

    def close(self) -> None:
        """Close the file; nothing else may be called afterwards."""
        os.close(self.fd)

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pread(self, length: int, start: int) -> bytes:
        try:
            return os.pread(self.fd, length, start)
        except OSError as error:
            raise SourceError(f"{name_of(self.source)} cannot be read: {error.strerror}") from error


def open_input(source: Input) -> LocalFile:
    """Open an input and check it.

    Raises:
        InputChangedError: if it is gone or no longer what was listed.
        SourceError: if it cannot be opened.
    """
    try:
        fd = os.open(source.uri, os.O_RDONLY)
    except FileNotFoundError as error:
        raise changed(source, "it is gone") from error
    except OSError as error:
        raise SourceError(f"{name_of(source)} cannot be opened: {error.strerror}") from error
    file = LocalFile(source, fd, os.fstat(fd).st_size)
    try:
        file.check()
    except BaseException:
        file.close()
        raise
    return file
