"""An input, opened: byte ranges of it, and the check that it still is what was listed."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Protocol

import attrs

from insula.errors import InputChangedError, SourceError
from insula.records import define
from insula.spec import Input


def is_local(source: Input) -> bool:
    """Return whether an input is a local file itself."""
    return source.uri[:1] == "/" or "://" not in source.uri


def name_of(source: Input) -> str:
    """Return what messages call an input."""
    return source.name or source.uri


def changed(source: Input, what: str) -> InputChangedError:
    """Return the error for an input that is no longer what was listed; `what` is the difference."""
    return InputChangedError(
        f"{name_of(source)} is no longer what it was when the job listed it: {what}. "
        "Put the listed file back and resume, or start a new job."
    )


# The URI of what is unpacked or downloaded into the job's folder before it is split: that copy, and where it comes from.
# Size and stamp of such an input are those of the origin.
_SPOOLED = "spool://"


def spooled(origin: Input, path: str) -> Input:
    """Return an input that is read from a copy as plain lines at `path`, once the splitter has made it."""
    from urllib.parse import quote

    return attrs.evolve(origin, uri=f"{_SPOOLED}{quote(os.fsencode(path))}?{origin.uri}", name=name_of(origin))


def is_spooled(source: Input) -> bool:
    """Return whether an input is read from a copy in the job's folder."""
    return source.uri.startswith(_SPOOLED)


def copy_of(source: Input) -> Input:
    """Return the copy that a spooled input is read from; there is no other size or stamp to compare."""
    from urllib.parse import unquote_to_bytes

    path, _, _ = source.uri.removeprefix(_SPOOLED).partition("?")
    return Input(os.fsdecode(unquote_to_bytes(path)), name=source.name)


def origin_of(source: Input) -> Input:
    """Return what the copy of a spooled input is made of."""
    _, _, uri = source.uri.partition("?")
    return attrs.evolve(source, uri=uri)


def stamp_of(status: os.stat_result) -> str:
    """Return the stamp of a local file: its modification time in nanoseconds."""
    return str(status.st_mtime_ns)


class InputFile(Protocol):
    """An input, opened by `open_input`; a context manager."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on.

        Raises:
            InputChangedError: if the file ends before.
            SourceError: if it cannot be read.
        """

    def check(self) -> None:
        """Raise InputChangedError if the input is no longer what was listed."""

    def close(self) -> None:
        """Close the file; nothing else may be called afterwards."""

    def __enter__(self) -> InputFile: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@define
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


def open_input(source: Input, *, whole: bool = False) -> InputFile:
    """Open an input; check it, unless that takes a request of its own.

    Args:
        whole: whether it will be read from end to end, in small pieces.

    Raises:
        InputChangedError: if it is gone or no longer what was listed.
        SourceError: if it cannot be opened.
    """
    if is_local(source):
        return _open_local(source)
    if is_spooled(source):
        return _open_copy(source)
    from insula.sources.remote import open_remote

    return open_remote(source, whole=whole)


def _open_copy(source: Input) -> LocalFile:
    copy = copy_of(source)
    try:
        return _open_local(copy)
    except InputChangedError as error:
        raise SourceError(
            f"{name_of(source)}: its copy {copy.uri} is gone from the job's folder; start a new job"
        ) from error


def _open_local(source: Input) -> LocalFile:
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
