"""The results of a job, read back: its own, or those of its retries in the place of what it gave up on."""

from __future__ import annotations

import heapq
import itertools
import operator
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from insula.errors import JobError, OutputError
from insula.folder import JobFolder
from insula.jobs import output as outputs
from insula.jobs.listing import look_at
from insula.jobs.record import Record, read_record
from insula.jobs.store import JobStore

Indexed = tuple[int, int, bytes]
_HEAD = re.compile(rb'\{"index":(\d+),(?:"count":(\d+),)?')
DEAD_LETTERS_KEY = "dead_letters"


def results_folder(folder: JobFolder) -> Path:
    """Return where the results of a finished job are on this machine.

    Raises:
        JobError: if it is not finished, or they are no longer there.
    """
    job = look_at(folder)
    job_id = folder.root.name
    if not job.finished:
        hint = "" if job.running else f"; to finish it: insula resume {job_id}"
        raise JobError(f"job {job_id} has no results yet, it is {job.status}{hint}")
    place = outputs.place(job.record.output, folder)
    for name in (outputs.PREDICTIONS, outputs.DEAD_LETTERS):
        if not (place / name).exists():
            raise JobError(f"the results of job {job_id} are no longer there: {place / name} is missing")
    return place


def retried(record: Record) -> str | None:
    """Return the id of the job whose dead letters a job tried again; None if it is no such job."""
    settings = record.submission.get(DEAD_LETTERS_KEY)
    return settings.get("job") if isinstance(settings, dict) else None


class Retries:
    """The finished retries of the jobs of a store, and of those the retries.

    Attributes:
        unfinished: ids of retries that are not finished.
    """

    def __init__(self, store: JobStore) -> None:
        self.unfinished: list[str] = []
        self._of: dict[str, list[JobFolder]] = {}
        for folder in store:
            try:
                record = read_record(folder)
            except JobError:
                continue  # made by another version: `insula jobs` says so
            if (origin := retried(record)) is not None:
                self._of.setdefault(origin, []).append(folder)

    def of(self, folder: JobFolder) -> list[JobFolder]:
        """Return the finished retries of one job, the newest first."""
        found = self._of.get(folder.root.name, [])
        finished = [one for one in found if look_at(one).finished]
        self.unfinished += [
            one.root.name for one in found if one not in finished and one.root.name not in self.unfinished
        ]
        return finished


def predictions(folder: JobFolder, retries: Retries | None = None) -> Iterator[bytes]:
    """Yield the lines of a job's predictions in order of the input.

    Args:
        retries: where given, the predictions of retries take the places of dead letters.

    Raises:
        JobError: if the job is not finished or its results are gone.
    """
    if retries is None:
        return _lines(results_folder(folder) / outputs.PREDICTIONS)
    return _once(_merged(folder, retries))


def dead_letters(folder: JobFolder, retries: Retries | None = None) -> Iterator[bytes]:
    """Yield the lines of a job's dead letters in order of the input.

    Args:
        retries: where given, only what no retry has dealt with, as the newest retry has it.

    Raises:
        JobError: if the job is not finished or its results are gone.
    """
    if retries is None:
        return _lines(results_folder(folder) / outputs.DEAD_LETTERS)
    return (line for _, _, line in _still_dead(folder, retries))


# ------------------------------------------------------------------------------------------------ merging


def _merged(folder: JobFolder, retries: Retries) -> Iterator[Indexed]:
    """Merge a job's predictions with those of all its retries; of one sample, the newest come first."""
    younger = [_merged(one, retries) for one in retries.of(folder)]
    own = _indexed(_lines(results_folder(folder) / outputs.PREDICTIONS))
    # `merge` keeps the order of its arguments among equals.
    return heapq.merge(*younger, own, key=operator.itemgetter(0))


def _once(lines: Iterable[Indexed]) -> Iterator[bytes]:
    stop = 0
    for index, count, line in lines:
        if index >= stop:
            stop = index + count
            yield line


def _still_dead(folder: JobFolder, retries: Retries) -> Iterator[Indexed]:
    """Yield the dead letters that every retry of a job left: a retry tries all of its job's dead letters."""
    younger = [_still_dead(one, retries) for one in retries.of(folder)]
    if not younger:
        yield from _indexed(_lines(results_folder(folder) / outputs.DEAD_LETTERS))
        return
    merged = heapq.merge(*younger, key=operator.itemgetter(0))
    for _, same in itertools.groupby(merged, key=operator.itemgetter(0)):
        letters = list(same)
        if len(letters) == len(younger):
            yield letters[0]


def _indexed(lines: Iterable[bytes]) -> Iterator[Indexed]:
    for line in lines:
        head = _HEAD.match(line)
        if head is None:
            raise JobError(f"a line of the results is not as insula wrote it: {line[:80]!r}")
        yield int(head[1]), int(head[2] or 1), line


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def copy(folder: JobFolder, target: Path, retries: Retries | None = None) -> None:
    """Copy a job's predictions and dead letters into a folder, and its summary if retries are not looked at.

    Raises:
        JobError: if there are no results.
        OutputError: if they cannot be written, or results are there already.
    """
    place = results_folder(folder)
    files = {
        outputs.PREDICTIONS: predictions(folder, retries),
        outputs.DEAD_LETTERS: dead_letters(folder, retries),
    }
    if retries is None:
        files[outputs.SUMMARY] = _lines(place / outputs.SUMMARY)
    for name in files:
        if (target / name).exists():
            raise OutputError(f"{target / name} is there already: choose another folder")
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, lines in files.items():
            _write(target / name, lines)
    except OSError as error:
        raise OutputError(f"results cannot be written to {target}: {error.strerror}") from error


def _write(path: Path, lines: Iterable[bytes]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.writelines(lines)
    partial.replace(path)
