"""Object stores (S3, Google Cloud Storage, Azure) through their fsspec filesystems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from insula.errors import StorageError
from insula.storage.faults import DeniedError, MissingError, ShortBodyError
from insula.storage.retrying import retrying
from insula.storage.store import RANGE, Stored
from insula.storage.urls import shown, split_key


class ObjectStore:
    """A `Store` on an fsspec filesystem of buckets and keys.

    Args:
        filesystem: with no cache of its own.
    """

    def __init__(self, filesystem: Any) -> None:
        self._filesystem = filesystem

    def find(self, url: str) -> list[Stored]:
        """Return the objects whose URLs begin with `url`, by name; only that object if there is one of this name."""
        try:
            found = self._with_prefix(url)
        except DeniedError:
            # Whoever may not list may still be allowed to read the one object that she names.
            return [self._exactly(url)]
        exact = [one for one in found if one.url == url]
        if not found:
            raise MissingError(f"{shown(url)}: nothing begins with this")
        return exact or found

    def _exactly(self, url: str) -> Stored:
        try:
            return self.look(url)
        except MissingError as error:
            raise DeniedError(f"{shown(url)}: permission denied to list what begins with this") from error

    def _with_prefix(self, url: str) -> list[Stored]:
        root, key = split_key(url)
        folder, _, prefix = key.rpartition("/")
        place = f"{self._bucket(root)}/{folder}" if folder else self._bucket(root)
        entries = retrying(url, lambda: self._filesystem.find(place, prefix=prefix, detail=True))
        skip = len(self._bucket(root)) + 1
        found = [
            _stored(f"{root}/{name[skip:]}", entry)
            for name, entry in entries.items()
            # Consoles make empty objects that stand for folders.
            if entry["type"] == "file" and not name.endswith("/")
        ]
        return sorted((one for one in found if one.url.startswith(url)), key=lambda one: one.url)

    def look(self, url: str) -> Stored:
        """Return what the storage says of an object now."""
        entry = retrying(url, lambda: self._filesystem.info(self._path(url)))
        if entry["type"] != "file":
            raise MissingError(f"{shown(url)}: there is no such file")
        return _stored(url, entry)

    def read(self, url: str, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on."""
        path = self._path(url)

        def read() -> bytes:
            data: bytes = self._filesystem.cat_file(path, start=start, end=start + length)
            if len(data) != length:
                size = self._filesystem.info(path)["size"]
                if size < start + length:
                    raise StorageError(f"{shown(url)}: it ends at byte {size}")
                raise ShortBodyError(f"{length} bytes were asked for, and {len(data)} came")
            return data

        return retrying(url, read) if length else b""

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        """Yield a whole object in order."""
        size = stored.size or 0
        for start in range(0, size, RANGE):
            yield self.read(stored.url, start, min(RANGE, size - start))

    def write(self, path: Path, url: str) -> None:
        """Write a local file to `url`."""

        def write() -> None:
            self._filesystem.put_file(str(path), self._path(url))
            written = self._filesystem.info(self._path(url))["size"]
            if written != path.stat().st_size:
                raise ShortBodyError(f"{written} of {path.stat().st_size} bytes arrived")

        retrying(url, write)

    def delete(self, url: str) -> None:
        """Delete an object."""
        retrying(url, lambda: self._filesystem.rm_file(self._path(url)))

    def _bucket(self, root: str) -> str:
        return str(self._filesystem._strip_protocol(root)).rstrip("/")

    def _path(self, url: str) -> str:
        root, key = split_key(url)
        return f"{self._bucket(root)}/{key}"


def _stored(url: str, entry: Mapping[str, Any]) -> Stored:
    keys = ("ETag", "etag", "LastModified", "last_modified", "updated", "mtime")
    stamp = next((str(entry[key]).strip('"') for key in keys if entry.get(key)), None)
    return Stored(url, entry.get("size"), stamp, md5=entry.get("md5Hash"))
