"""A folder like a job's, for what is only looked at and gone afterwards."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs.lock import JobLock, is_held
from insula.jobs.record import make_id

# Seconds after which a folder that nobody holds was left by somebody who was killed, and not made a moment ago.
_LEFT = 60.0


@contextlib.contextmanager
def scratch(home: Path) -> Iterator[JobFolder]:
    """Make a folder in which a job could be, but which no list of jobs shows; remove it at the end.

    Args:
        home: the folder of all state, whose models it shares.

    Raises:
        JobError: if it cannot be made.
    """
    folder = JobFolder(home / "checks" / make_id())
    try:
        folder.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(folder.root.parent)
        folder.create()
        lock = JobLock(folder.lock)
    except OSError as error:
        raise JobError(
            f"nothing can be written to {home}: {error.strerror}; set INSULA_HOME to a folder that is writable"
        ) from error
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder.root, ignore_errors=True)
        with contextlib.suppress(OSError):  # another check is at work beside this one
            folder.root.parent.rmdir()


def _clear(checks: Path) -> None:
    """Remove what was left by others that were killed."""
    for path in checks.iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has just ended, or another one clears it too
            if time.time() - path.stat().st_mtime > _LEFT and not is_held(JobFolder(path).lock):
                shutil.rmtree(path, ignore_errors=True)
