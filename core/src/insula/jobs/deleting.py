"""Deleting jobs: their folders, and with them the results that lie there."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from insula.errors import JobError, UserError
from insula.folder import JobFolder
from insula.jobs import output as outputs
from insula.jobs.ended import has_ended
from insula.jobs.lock import JobLock, is_held
from insula.jobs.record import read_record
from insula.jobs.store import JobStore

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def delete(folder: JobFolder) -> None:
    """Delete a job; results in a folder that is not the job's own stay.

    Raises:
        JobError: if it is running, or its folder cannot be removed.
    """
    name = folder.root.name
    if is_held(folder.lock):
        raise JobError(f"job {name} is running: stop it first, with `insula stop {name}`")
    lock = JobLock(folder.lock)
    try:
        _release(folder)
        _remove(folder)
    finally:
        lock.release()
    shutil.rmtree(folder.root, ignore_errors=True)  # all that is left is the lock


def _release(folder: JobFolder) -> None:
    """Give up the claim on a folder or URL for results that will never come."""
    if has_ended(folder):
        return
    try:
        outputs.release(read_record(folder).output, folder)
    except (UserError, OSError):
        pass  # a claim of a job that is gone holds nobody up


def _remove(folder: JobFolder) -> None:
    """Remove everything, the record last: what could not be removed is still a job, and may be deleted again."""
    try:
        for path in folder.root.iterdir():
            if path not in (folder.record, folder.lock):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        folder.record.unlink()
    except OSError as error:
        raise JobError(f"job {folder.root.name} cannot be deleted: {error.filename}: {error.strerror}") from error


def age(folder: JobFolder, now: float) -> float:
    """Return how many seconds ago anything happened in a job, as far as its files say."""
    return now - max(_changed(path) for path in (folder.record, folder.status, folder.events))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def older_than(store: JobStore, seconds: float) -> Iterator[JobFolder]:
    """Yield the jobs that are not running and in which nothing happened for so long."""
    now = time.time()
    return (folder for folder in store if age(folder, now) > seconds and not is_held(folder.lock))


def parse_age(text: str) -> float:
    """Return a time such as `30d`, `12h` or `90m` in seconds.

    Raises:
        ValueError: if it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if found is None:
        raise ValueError(f"{text!r} is no age: write a number and s, m, h, d or w, such as 30d")
    return float(found[1]) * _UNITS[found[2]]
