"""An input behind a URL, read by ranges."""

from __future__ import annotations

from types import TracebackType

from insula.errors import SourceError, StorageError
from insula.records import define
from insula.sources.opening import changed, name_of
from insula.spec import Input
from insula.storage.faults import MissingError, TransientError
from insula.storage.store import RANGE, Store, store_of


@define
class RemoteFile:
    """A remote input; opening and closing it costs nothing."""

    source: Input
    store: Store
    size: int

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on, in requests of at most 8 MiB.

        Raises:
            InputChangedError: if the input is gone or ends before.
            SourceError: if it cannot be read.
        """
        if length <= RANGE:
            return self._range(start, length)
        stop = start + length
        return b"".join(self._range(at, min(RANGE, stop - at)) for at in range(start, stop, RANGE))

    def _range(self, start: int, length: int) -> bytes:
        try:
            return self.store.read(self.source.uri, start, length)
        except MissingError as error:
            raise changed(self.source, "it is gone") from error
        except TransientError as error:
            raise SourceError(str(error)) from error
        except StorageError as error:
            self.check()  # if it changed, that is why
            raise SourceError(str(error)) from error

    def check(self) -> None:
        """Raise InputChangedError if size or stamp are not those of the listing."""
        try:
            now = self.store.look(self.source.uri)
        except MissingError as error:
            raise changed(self.source, "it is gone") from error
        except StorageError as error:
            raise SourceError(str(error)) from error
        if self.source.size is not None and now.size != self.source.size:
            raise changed(self.source, f"it had {self.source.size} bytes and now has {now.size}")
        if self.source.stamp is not None and now.stamp != self.source.stamp:
            raise changed(self.source, "it was replaced by another of the same size")

    def close(self) -> None:
        """Do nothing: connections are the storage's."""

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@define
class RemoteStream(RemoteFile):
    """A remote input that is read from end to end: one request serves many reads.

    Args:
        at, ahead: what is in memory, and from which offset on.
    """

    at: int = 0
    ahead: bytes = b""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on, from memory if they are there.

        Raises:
            InputChangedError: if the input is gone or ends before.
            SourceError: if it cannot be read.
        """
        begin = start - self.at
        if begin < 0 or begin + length > len(self.ahead):
            kept = self.ahead[begin:] if 0 <= begin < len(self.ahead) else b""
            behind = start + len(kept)
            wanted = max(length - len(kept), min(RANGE, self.size - behind))
            self.at, self.ahead = start, kept + RemoteFile.read(self, behind, wanted)
            begin = 0
        return self.ahead[begin : begin + length]


def open_remote(source: Input, *, whole: bool) -> RemoteFile:
    """Open a remote input, which is checked behind each read, and here too if it will be read as a whole.

    Raises:
        InputChangedError: if it is gone or no longer what was listed.
        SourceError: if it cannot be opened.
    """
    try:
        store = store_of(source.uri)
    except StorageError as error:
        raise SourceError(str(error)) from error
    if source.size is None:
        raise SourceError(f"{name_of(source)} has no known size, and only files of a known size are read by ranges")
    kind = RemoteStream if whole else RemoteFile
    file = kind(source, store, source.size)
    if whole:
        file.check()
    return file
