"""Jobs as one sees them from outside: what their status files say, put right where a coordinator died."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula.coordinator.status import progress
from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs.ended import FINISHED, read_status
from insula.jobs.finishing import iso_time
from insula.jobs.lock import JobLock, is_held
from insula.jobs.record import Record, read_record
from insula.ledger import Ledger
from insula.records import frozen

# What a coordinator writes while it lives; once its lock is free, such a status is no longer true.
_ALIVE = {"enqueuing", "running"}


@frozen
class ListedJob:
    """One job and how it stands.

    Args:
        folder, record: its files, and what was submitted.
        running: whether a coordinator runs it now.
        status: one of the statuses; `interrupted` if its coordinator died.
        facts: what its status file says, or its ledger.
    """

    folder: JobFolder
    record: Record
    running: bool
    status: str
    facts: Mapping[str, Any]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do; every other job that is not running can be resumed."""
        return self.status in FINISHED

    @property
    def dead_letters(self) -> int:
        """How many samples were given up on."""
        return int(self.facts.get("dead", 0))

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data: what was submitted, and all that is known of how it stands."""
        record = self.record
        return {
            "job_id": record.job_id,
            "api_name": record.api_name,
            "created_time": iso_time(record.created),
            "project": record.project,
            "output": record.output,
            "executor": record.executor,
            **self.facts,
            "dead_letters": self.dead_letters,
            "status": self.status,
        }

    def to_row(self) -> dict[str, Any]:
        """Return the part of `to_plain` that a list of jobs shows."""
        facts = self.facts
        return {
            "job_id": self.record.job_id,
            "api_name": self.record.api_name,
            "status": self.status,
            "created_time": iso_time(self.record.created),
            "end_time": facts.get("end_time"),
            "batches": facts.get("batches"),
            "samples": facts.get("samples"),
            "samples_done": facts.get("accounted", 0),
            "dead_letters": self.dead_letters,
            "output": self.record.output,
            "project": self.record.project,
        }


def look_at(folder: JobFolder) -> ListedJob:
    """Return how a job stands by its status file, which is a second old at most while the job runs.

    Raises:
        JobError: if the job's record cannot be read.
    """
    # The lock first: a job that ends in between has then written its last status before that is read.
    running = is_held(folder.lock)
    record, facts = read_record(folder), read_status(folder)
    status = str(facts.get("status", "enqueuing"))
    if status in _ALIVE and not running:
        status = "interrupted"
    return ListedJob(folder, record, running, status, facts)


def look_closely(folder: JobFolder) -> ListedJob:
    """Return how a job stands, of an interrupted one by its ledger: its status file is older than its death.

    Raises:
        JobError: if the job's record or ledger cannot be read.
    """
    seen = look_at(folder)
    if seen.status != "interrupted":
        return seen
    try:
        lock = JobLock(folder.lock)
    except JobError:
        # Somebody resumes it at this moment.
        return look_at(folder)
    try:
        facts = _counted(folder)
    finally:
        lock.release()
    return attrs.evolve(seen, facts={**seen.facts, **facts})


def _counted(folder: JobFolder) -> dict[str, Any]:
    if not folder.ledger.exists():
        # It died before its coordinator began.
        return {}
    ledger = Ledger(folder.ledger, create=True)  # one that was killed in the making counts nothing
    try:
        return progress(ledger.state, workers=0, rate=0.0, longest=0.0).to_plain()
    finally:
        ledger.close()
