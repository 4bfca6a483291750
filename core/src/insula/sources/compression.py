"""Compressed files: told by their first bytes, unpacked as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any, cast

from insula.errors import SourceError

SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
# No line of JSON begins with any of these.
_MAGIC = {b"\x1f\x8b\x08": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_BZIP2 = (b"BZh", (b"1AY&SY", b"\x17rE8P\x90"))  # a digit between; the second is of a block, or of the end
_SKIPPABLE = (b"\x2a\x4d\x18", range(0x50, 0x60))  # a frame of zstd that holds no data may come first
HEAD = 10  # bytes that tell every kind

_CHUNK = 1 << 20
# zstd gives out all that is in what it is fed: a little at a time bounds that.
_MORSEL = 1 << 12


def kind_of_name(name: str) -> str | None:
    """Return the kind of compression that a file's name promises."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix)), None)


def kind_of_content(head: bytes) -> str | None:
    """Return the kind of compression by a file's first bytes; None for plain ones."""
    if head[1:4] == _SKIPPABLE[0] and head[0] in _SKIPPABLE[1]:
        return "zstd"
    if head.startswith(_BZIP2[0]) and head[4:10] in _BZIP2[1]:
        return "bzip2"
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def unpack(chunks: Iterator[bytes], kind: str | None, name: str) -> Iterator[bytes]:
    """Yield the content of a file, about 1 MiB at a time; several streams in one file are one after the other.

    Args:
        chunks: the file.
        kind: how it is compressed; None yields it as it is.
        name: what messages call it.

    Raises:
        SourceError: if the file is damaged or cut, or no package reads its kind.
    """
    if kind is None:
        yield from chunks
        return
    import lzma
    import zlib

    faults: tuple[type[Exception], ...] = (EOFError, zlib.error, lzma.LZMAError)
    if kind == "zstd":
        faults = (EOFError, _zstandard(name).ZstdError)
    source = _Source(chunks)
    try:
        yield from _zstd(source, name) if kind == "zstd" else _wrapped(source, kind)
    except faults as error:
        raise _damaged(name, kind, error) from error
    except OSError as error:
        # bz2 and gzip say so of damage; anything with a number is of the disk or the network.
        if error.errno is not None or isinstance(error, SourceError):
            raise
        raise _damaged(name, kind, error) from error


def _damaged(name: str, kind: str, error: Exception) -> SourceError:
    if isinstance(error, EOFError):
        return SourceError(f"{name} is cut: it ends in the middle of its {kind} data")
    return SourceError(f"{name} is damaged: its {kind} data cannot be unpacked ({error})")


def _wrapped(source: _Source, kind: str) -> Iterator[bytes]:
    opened = _opener(kind)(source)
    while data := opened.read(_CHUNK):
        yield data


def _opener(kind: str) -> Callable[[Any], IO[bytes]]:
    if kind == "gzip":
        import gzip

        return lambda source: cast("IO[bytes]", gzip.GzipFile(fileobj=source, mode="rb"))
    if kind == "bzip2":
        import bz2

        return lambda source: cast("IO[bytes]", bz2.BZ2File(source))
    import lzma

    return lambda source: cast("IO[bytes]", lzma.LZMAFile(source))


def _zstd(source: _Source, name: str) -> Iterator[bytes]:
    # The library's own streams end without a word where a file is cut.
    decompressor = _zstandard(name).ZstdDecompressor()
    frame = decompressor.decompressobj()
    rest = b""
    begun = False
    while data := rest or source.read(_MORSEL):
        if frame.eof:
            frame = decompressor.decompressobj()
        content, begun = frame.decompress(data), True
        rest = frame.unused_data
        if content:
            yield content
    if begun and not frame.eof:
        raise EOFError


def _zstandard(name: str) -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise SourceError(
            f'{name}: reading zstd needs a package that is not installed: pip install "insula[zstd]"'
        ) from error
    return zstandard


class _Source:
    """Chunks as a file that is read forward."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._at = 0

    def read(self, length: int) -> bytes:
        """Return `length` bytes, fewer only at the end."""
        data = self._some(length)
        while data and len(data) < length:
            more = self._some(length - len(data))
            if not more:
                break
            data += more
        return data

    def _some(self, length: int) -> bytes:
        while self._at >= len(self._chunk):
            try:
                self._chunk, self._at = next(self._chunks), 0
            except StopIteration:
                return b""
        data = self._chunk[self._at : self._at + length]
        self._at += len(data)
        return data
