"""What a job's workers printed and what happened in it, as one stream of lines by time; and how long that may get."""

from __future__ import annotations

import contextlib
import heapq
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs.lock import is_held
from insula.records import define, frozen

# A worker's log is cut here and as much of the one before it kept.
LIMIT = 32 << 20
_LOOK_EVERY = 1.0
_POLL = 0.2
_TIME = re.compile(rb"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d),(\d{3}) ")
_WORKER = re.compile(r"worker-(\d+)\.log")


@frozen
class Line:
    """One line of a job's logs.

    Args:
        time: seconds since 1970; of a line that carries none, that of the line before it.
        worker: who printed it, None for an event.
        text: as it was printed, with the time if it has one; of an event, nothing.
        event: the event, None if a worker printed it.
    """

    time: float
    worker: int | None
    text: str = ""
    event: dict[str, Any] | None = None


def read_logs(folder: JobFolder, worker: int | None = None) -> Iterator[Line]:
    """Yield what there is so far, in order of time.

    Args:
        worker: only this worker's lines and events.
    """
    began = _beginnings(folder)
    streams = [_events(folder.events, worker)]
    for number, paths in _logs(folder, worker):
        streams.append(_Tail(number, began.get(number, 0.0)).lines(paths))
    return heapq.merge(*streams, key=lambda line: line.time)


def follow_logs(folder: JobFolder, worker: int | None = None) -> Iterator[Line]:
    """Yield what there is so far and then what comes, until the job is not running; by time as far as it has come."""
    following = _Following(folder, worker)
    while True:
        # Asked before reading, so that the last lines of a job that ends in between are read.
        running = is_held(folder.lock)
        yield from following.read(last=not running)
        if not running:
            return
        time.sleep(_POLL)


def check_worker(folder: JobFolder, worker: int) -> None:
    """Refuse a worker that a job which has ended never had: no line of it will ever come.

    Raises:
        JobError: naming the workers that there were.
    """
    started = _beginnings(folder)
    if worker not in started and not is_held(folder.lock):
        had = ", ".join(map(str, sorted(started))) or "none"
        raise JobError(f"job {folder.root.name} had no worker {worker}; it had: {had}")


def bound_logs(folder: JobFolder, limit: int = LIMIT) -> None:
    """Cut each log of a worker or service that has become longer than `limit` bytes, and keep as many as the last log before.

    They append to a file that is theirs from their start on, so it is copied and emptied; what is printed in
    between, a moment, is lost.
    """
    workers = [path for path in folder.logs.iterdir() if _WORKER.fullmatch(path.name)]
    for path in (*workers, *folder.services.glob("*.log")):
        if (size := path.stat().st_size) > limit:
            with path.open("rb") as log, open(_older(path), "wb", opener=_private) as older:
                log.seek(size - limit)
                shutil.copyfileobj(log, older, 1 << 20)
            os.truncate(path, 0)


def _older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class LogBound:
    """Bounds the logs of a running job, whenever it is asked to and at most once a second."""

    def __init__(self, folder: JobFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._looked = clock()

    def look(self) -> None:
        """Cut what is too long, if it is time to look."""
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            with contextlib.suppress(OSError):  # a full disk ends the job elsewhere, and says so
                bound_logs(self._folder)


# ------------------------------------------------------------------------------------------------ files


def _logs(folder: JobFolder, worker: int | None) -> Iterator[tuple[int, Sequence[Path]]]:
    """Yield each worker's number and its logs, the older first."""
    for path in sorted(folder.logs.iterdir()):
        found = _WORKER.fullmatch(path.name)
        if found and worker in (None, int(found[1])):
            yield int(found[1]), [_older(path), path]


def _events(path: Path, worker: int | None) -> Iterator[Line]:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        yield from _parsed(file, worker)


def _parsed(lines: Iterable[bytes], worker: int | None) -> Iterator[Line]:
    for line in lines:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # the end of a file whose writer died
        if worker is None or event.get("worker") in (None, worker):
            yield Line(event["time"], None, event=event)


def _beginnings(folder: JobFolder) -> dict[int, float]:
    """Return when each worker was first started: lines that it printed before any that carries a time came then."""
    began: dict[int, float] = {}
    for line in _events(folder.events, None):
        assert line.event is not None
        if line.event["event"] == "worker_started":
            began.setdefault(line.event["worker"], line.time)
    return began


class _Tail:
    """The lines of one worker, which carry the time of the last one that has any."""

    def __init__(self, worker: int, began: float) -> None:
        self._worker = worker
        self._time = began

    def lines(self, paths: Sequence[Path]) -> Iterator[Line]:
        for path in paths:
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                yield from map(self.line, file)

    def line(self, raw: bytes) -> Line:
        found = _TIME.match(raw)
        if found:
            # Never back: a clock that was set must not mix up lines that follow each other.
            self._time = max(self._time, _seconds(found))
        # Of a progress bar that was drawn over and over, what was seen last.
        shown = raw.rstrip(b"\r\n").rpartition(b"\r")[2]
        return Line(self._time, self._worker, shown.decode("utf-8", "backslashreplace"))


def _seconds(found: re.Match[bytes]) -> float:
    year, month, day, hour, minute, second, millisecond = map(int, found.groups())
    try:
        return time.mktime((year, month, day, hour, minute, second, 0, 0, -1)) + millisecond / 1000
    except (OverflowError, ValueError):
        return 0.0  # digits that look like a time


# ------------------------------------------------------------------------------------------------ following


@define
class _Followed:
    """A file that grows: how far it was read, and what began a line there that has not ended."""

    path: Path
    offset: int = 0
    rest: bytes = b""

    def read(self, *, last: bool) -> list[bytes]:
        """Return whole lines that came since the last time; at the last time, also one that never ended."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self.offset:
                    self.offset, self.rest = 0, b""  # it was cut
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self.offset += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [*lines, self.rest] if last and self.rest else lines


class _Following:
    """All files of a job's logs, as they grow and appear."""

    def __init__(self, folder: JobFolder, worker: int | None) -> None:
        self._folder = folder
        self._worker = worker
        self._events = _Followed(folder.events)
        self._logs: dict[int, tuple[_Tail, _Followed]] = {}

    def read(self, *, last: bool) -> list[Line]:
        """Return what came since the last time, in order of time."""
        found = list(_parsed(self._events.read(last=last), self._worker))
        for number, (older, path) in _logs(self._folder, self._worker):
            if number not in self._logs:
                began = _beginnings(self._folder).get(number, 0.0)
                self._logs[number] = _Tail(number, began), _Followed(path)
                found += self._logs[number][0].lines([older])
            tail, followed = self._logs[number]
            found += map(tail.line, followed.read(last=last))
        return sorted(found, key=lambda line: line.time)
