"""What the machine is short of, named in one message: file descriptors, room on a disk."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from insula.errors import JobError, UserError

_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_ROOM = (errno.ENOSPC, errno.EDQUOT)
# What a job needs to go on with; a disk with less than this is the one that is full.
_LITTLE = 1 << 20
_COMMON_LIMIT = 1024


@contextmanager
def shortages_named(*places: Path) -> Iterator[None]:
    """Raise what the machine is short of as such, whoever met it first.

    Args:
        places: what is written to, so that a full disk can be told from the others.

    Raises:
        JobError: naming the limit, and what to do.
    """
    try:
        yield
    except (OSError, ImportError, sqlite3.Error, UserError) as error:
        short = shortage(error, places)
        if short is None:
            raise
        raise short from error


def shortage(error: BaseException, places: Sequence[Path] = ()) -> JobError | None:
    """Return what an error says the machine is short of; None if it is about something else."""
    cause: BaseException | None = error
    while cause is not None:
        number = _number(cause)
        if number in _DESCRIPTORS:
            return JobError(_descriptors(number))
        if number in _ROOM and (places or not isinstance(error, UserError)):
            # An error for the user has said itself what is full, standard output perhaps.
            return JobError(_room(cause, number, places))
        cause = cause.__cause__
    return None


def _number(error: BaseException) -> int | None:
    if isinstance(error, sqlite3.Error):
        return errno.ENOSPC if "is full" in str(error) else None
    if isinstance(error, ImportError):
        # The loader of extension modules has only words for it.
        return errno.EMFILE if os.strerror(errno.EMFILE) in str(error) else None
    return error.errno if isinstance(error, OSError) else None


def _descriptors(number: int | None) -> str:
    if number == errno.ENFILE:
        return (
            "this machine has too few file descriptors: all that the kernel allows are in use (fs.file-max); "
            "end what holds many files open, or raise that limit"
        )
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft < hard or hard == resource.RLIM_INFINITY
    more = _COMMON_LIMIT if hard == resource.RLIM_INFINITY else min(hard, max(_COMMON_LIMIT, 2 * soft))
    remedy = (
        f"raise it with `ulimit -n {more}` in the shell that starts insula"
        if enough
        else "it is the hard limit of this user: have it raised (LimitNOFILE in systemd, nofile in limits.conf)"
    )
    return f"too few file descriptors: this process may have {soft} files open at a time (ulimit -n); {remedy}"


def _room(error: BaseException, number: int | None, places: Sequence[Path]) -> str:
    full = [place for place in places if _is_full(place)]
    named = getattr(error, "filename", None)
    where = full[0] if full else Path(os.fsdecode(named)) if named else next(iter(places), None)
    what = "the disk quota is used up" if number == errno.EDQUOT else "the disk is full"
    return f"{what}{f' where {where} lies' if where else ''}; make room there"


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free < _LITTLE
    except OSError:
        return False
