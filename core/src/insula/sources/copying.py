"""Copies of what cannot be read by ranges, as plain lines in the job's folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from insula import failpoints
from insula.errors import SourceError, StorageError
from insula.sources.compression import HEAD, kind_of_content, kind_of_name, unpack
from insula.sources.listing import Listed
from insula.sources.opening import InputFile, changed, copy_of, is_local, name_of, open_input, origin_of
from insula.sources.spooling import write_whole
from insula.spec import Input
from insula.storage.urls import path_in

_CHUNK = 1 << 20


def needs_copy(file: Listed) -> bool:
    """Return whether a file cannot be read by ranges as the lines that it holds.

    Local files are told by their content, remote ones by their names alone: a request for each of ten thousand takes minutes.
    """
    source = file.input
    if not file.ranges or kind_of_name(source.uri if is_local(source) else path_in(source.uri)):
        return True
    return is_local(source) and kind_of_content(_head(source)) is not None


def _head(source: Input) -> bytes:
    with open_input(source) as file:
        return file.read(0, min(HEAD, file.size))


def make_copy(source: Input) -> None:
    """Make the copy that a spooled input is read from, unless it is there.

    The same origin always gives the same copy, so one that is begun again after a crash fits what was split of it.

    Raises:
        InputChangedError: if the origin is no longer what was listed.
        SourceError: if it cannot be read or is damaged.
    """
    path = Path(copy_of(source).uri)
    if not path.exists():
        with failpoints.around("spool"):
            write_whole(path, _content(source))


def _content(source: Input) -> Iterator[bytes]:
    chunks = _chunks(source)
    first = next(chunks, b"")
    yield from unpack(chain([first], chunks), kind_of_content(first), name_of(source))


def _chunks(source: Input) -> Iterator[bytes]:
    """Yield the bytes of a copy's origin, checked before and behind."""
    origin = origin_of(source)
    if not is_local(origin):
        yield from _remote_chunks(origin)
        return
    with open_input(origin) as file:
        yield from _file_chunks(file)
        file.check()


def _file_chunks(file: InputFile) -> Iterator[bytes]:
    for start in range(0, file.size, _CHUNK):
        yield file.read(start, min(_CHUNK, file.size - start))


def _remote_chunks(origin: Input) -> Iterator[bytes]:
    from insula.storage.faults import MissingError
    from insula.storage.store import store_of

    try:
        store = store_of(origin.uri)
        stored = store.look(origin.uri)
        _compare(origin, stored.size, stored.stamp)
        yield from store.chunks(stored)
        stored = store.look(origin.uri)
        _compare(origin, stored.size, stored.stamp)
    except MissingError as error:
        raise changed(origin, "it is gone") from error
    except StorageError as error:
        raise SourceError(str(error)) from error


def _compare(origin: Input, size: int | None, stamp: str | None) -> None:
    if (size, stamp) != (origin.size, origin.stamp):
        raise changed(origin, "its size or its etag differs")
