"""What is asked of a job from outside its coordinator: to stop, or to go on with a project that changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from insula.documents import read_document
from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs.lock import is_held
from insula.jobs.record import Record, read_record
from insula.loading import CONFIG_FILE
from insula.loading.entries import choose
from insula.project.files import fingerprint
from insula.records import frozen

_POLL = 0.05


def stop(folder: JobFolder, timeout: float) -> bool:
    """Ask a job to stop, and wait until its running batches are done; return whether it has stopped.

    Args:
        timeout: seconds to wait; the request stands also after them.

    Raises:
        JobError: if the job is not running.
    """
    if not is_held(folder.lock):
        raise JobError(f"job {folder.root.name} is not running")
    deadline = time.monotonic() + timeout
    while is_held(folder.lock):
        # Each time anew: a coordinator that just began removes what was asked of the one before it.
        folder.stop.touch(mode=0o600)
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    folder.stop.unlink(missing_ok=True)
    return True


@frozen
class Change:
    """What became of a project since a job began.

    Args:
        names: the files that changed or went away; files that were added do not count.
        entry: the API's entry of cortex.yaml, as it is now.
        fingerprint: digest of every project file by path, as it is now.
    """

    names: tuple[str, ...]
    entry: Mapping[str, Any]
    fingerprint: Mapping[str, str]


def find_change(record: Record) -> Change:
    """Compare a job's project with what it was when the job began.

    Raises:
        UserError: if the project cannot be read any more.
    """
    project = Path(record.project)
    _, entry = choose(read_document(project / CONFIG_FILE, CONFIG_FILE), record.api_name)
    now = _without(Path(record.output), project, fingerprint(project, entry))
    names = sorted(name for name, digest in record.fingerprint.items() if now.get(name) != digest)
    return Change(tuple(names), entry, now)


def accept_change(folder: JobFolder, record: Record, change: Change) -> Record:
    """Record a changed project as the one that the job goes on with; return the new record.

    Raises:
        JobError: if the job is running.
    """
    if is_held(folder.lock):
        raise JobError(f"job {record.job_id} is running: stop it first")
    changed = attrs.evolve(record, entry=change.entry, fingerprint=change.fingerprint)
    changed.write(folder)
    return changed


def record_to_resume(folder: JobFolder, *, changed: bool = False) -> Record:
    """Return the record with which a job goes on.

    Args:
        changed: whether a project that changed is accepted, and recorded, as the one to go on with.

    Raises:
        JobError: if the project changed and that is not accepted, naming the files.
    """
    record = read_record(folder)
    if is_held(folder.lock):
        # Said by who holds the lock, before anything is said of the project.
        return record
    change = find_change(record)
    if not change.names:
        return record
    if changed:
        return accept_change(folder, record, change)
    raise JobError(
        f"the project changed since the job began: {', '.join(change.names)}\n"
        f"Undo that, or accept it: insula resume --changed {record.job_id}"
    )


def _without(output: Path, project: Path, found: Mapping[str, str]) -> dict[str, str]:
    # Results may lie in the project: they are no part of it.
    return {name: digest for name, digest in found.items() if output not in (project / name).parents}
