"""Web servers: one URL is one file, which may or may not be read by ranges."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from insula.errors import StorageError
from insula.storage.faults import ShortBodyError
from insula.storage.retrying import DELAYS, retrying
from insula.storage.store import RANGE, Stored
from insula.storage.urls import shown

T = TypeVar("T")

_TOTAL = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_NOT_SATISFIABLE = 416
_PARTIAL = 206


class WebStore:
    """A `Store` on the HTTP client of fsspec's filesystem.

    The requests are made here: fsspec's own take what a server without ranges sends, all of it, for the range.
    """

    def __init__(self, filesystem: Any) -> None:
        self._filesystem = filesystem

    def find(self, url: str) -> list[Stored]:
        """Return the one file of a URL."""
        return [self.look(url)]

    def look(self, url: str) -> Stored:
        """Return what the server says of a file now."""

        async def look() -> Stored:
            async with self._get(url, {"Range": "bytes=0-0"}) as response:
                return _stored(url, response.status, response.headers)

        return self._run(url, look)

    def read(self, url: str, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on."""

        async def read() -> bytes:
            async with self._get(url, {"Range": f"bytes={start}-{start + length - 1}"}) as response:
                place = _TOTAL.match(response.headers.get("Content-Range", ""))
                if response.status != _PARTIAL or place is None or place[1] != str(start):
                    raise StorageError(f"{shown(url)}: bytes {start} to {start + length} cannot be had by themselves")
                data: bytes = await response.read()
            if len(data) != length:
                raise ShortBodyError(f"{length} bytes were asked for, and {len(data)} came")
            return data

        return self._run(url, read) if length else b""

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        """Yield a whole file in order; where there are no ranges, what breaks is read again from the beginning."""
        if stored.ranges and stored.size is not None:
            for start in range(0, stored.size, RANGE):
                yield self.read(stored.url, start, min(RANGE, stored.size - start))
            return
        body = _Body(self, stored)
        while chunk := retrying(stored.url, body.next):
            yield chunk

    def write(self, path: Path, url: str) -> None:
        """Write a local file to `url` by PUT."""

        async def write() -> None:
            session = await self._filesystem.set_session()
            with path.open("rb") as file:
                async with session.put(self._address(url), data=file) as response:
                    response.raise_for_status()

        self._run(url, write)

    def delete(self, url: str) -> None:
        """Delete a file by DELETE."""

        async def delete() -> None:
            session = await self._filesystem.set_session()
            async with session.delete(self._address(url)) as response:
                response.raise_for_status()

        self._run(url, delete)

    def _run(self, url: str, make: Callable[[], Awaitable[T]]) -> T:
        return retrying(url, lambda: self.wait(make))

    def wait(self, make: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine in fsspec's loop."""
        from fsspec.asyn import sync

        answer: T = sync(self._filesystem.loop, make)
        return answer

    @asynccontextmanager
    async def _get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Any]:
        async with await self.get(url, headers) as response:
            yield response

    async def get(self, url: str, headers: Mapping[str, str]) -> Any:
        """Return an open response to a GET."""
        session = await self._filesystem.set_session()
        response = await session.get(self._address(url), headers={"Accept-Encoding": "identity", **headers})
        if response.status != _NOT_SATISFIABLE:
            response.raise_for_status()
        return response

    def _address(self, url: str) -> Any:
        from yarl import URL

        # Signed URLs hold escapes that must arrive as they are.
        return URL(url, encoded="%" in url)


class _Body:
    """A body read in order, reopened where it breaks, up to as often as anything is tried again."""

    def __init__(self, store: WebStore, stored: Stored) -> None:
        self._store = store
        self._stored = stored
        self._response: Any = None
        self._at = 0
        self._openings = 0

    def next(self) -> bytes:
        """Return the next bytes, none at the end."""
        return self._store.wait(self._next)

    async def _next(self) -> bytes:
        try:
            if self._response is None:
                await self._open()
            chunk: bytes = await self._response.content.read(1 << 20)
        except BaseException:
            self._close()
            raise
        self._at += len(chunk)
        if not chunk:
            self._close()
            if self._stored.size is not None and self._at != self._stored.size:
                raise ShortBodyError(f"{self._stored.size} bytes were announced, and {self._at} came")
        return chunk

    async def _open(self) -> None:
        self._openings += 1
        if self._openings > len(DELAYS) + 1:
            raise StorageError(
                f"{shown(self._stored.url)}: the connection broke {len(DELAYS) + 1} times before the end, "
                "and the server can only begin anew each time"
            )
        self._response = await self._store.get(self._stored.url, {})
        found = _stored(self._stored.url, self._response.status, self._response.headers)
        if (found.size, found.stamp) != (self._stored.size, self._stored.stamp):
            raise StorageError(f"{shown(self._stored.url)}: it changed while it was read")
        left = self._at
        while left:
            passed = await self._response.content.read(min(left, 1 << 20))
            if not passed:
                raise ShortBodyError(f"it ended at byte {self._at - left}")
            left -= len(passed)

    def _close(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None


def _stored(url: str, status: int, headers: Mapping[str, str]) -> Stored:
    stamp = headers.get("ETag") or headers.get("Last-Modified")
    total = _TOTAL.match(headers.get("Content-Range", ""))
    if status in (_PARTIAL, _NOT_SATISFIABLE) and total is not None:
        return Stored(url, int(total[2]), stamp)
    length = headers.get("Content-Length", "") if status != _PARTIAL else ""
    return Stored(url, int(length) if length.isdigit() else None, stamp, ranges=False)
