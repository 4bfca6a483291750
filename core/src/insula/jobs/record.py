"""The record of a job: what was submitted, kept as it was written so that a resume reads it anew."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import attrs

from insula import exact
from insula.errors import JobError
from insula.folder import JobFolder, replace
from insula.records import frozen

VERSION = 1


@frozen
class Record:
    """A job as it was submitted.

    Args:
        job_id, api_name: what it is called.
        created: seconds since 1970.
        project: the project folder.
        entry: the API's entry of cortex.yaml, as written.
        submission: as written, with what the command line laid over it.
        output: the folder for the results.
        executor: what starts the workers.
        batch_prefix: what all batch ids begin with.
        insula: the version that made the job.
        fingerprint: digest of every project file, by path.
    """

    job_id: str
    api_name: str
    created: float
    project: str
    entry: Mapping[str, Any]
    submission: Mapping[str, Any]
    output: str
    executor: str
    batch_prefix: str
    insula: str
    fingerprint: Mapping[str, str]
    version: int = VERSION

    def write(self, folder: JobFolder) -> None:
        """Write the record into the job's folder."""
        replace(folder.record, attrs.asdict(self), users=True)


def read_record(folder: JobFolder) -> Record:
    """Read the record of a job.

    Raises:
        JobError: if it is missing or of another version.
    """
    try:
        found = exact.loads(folder.record.read_bytes())
    except FileNotFoundError as error:
        raise JobError(f"there is no job in {folder.root}") from error
    except ValueError as error:
        raise JobError(f"{folder.record} cannot be read: {error}") from error
    if found.get("version") != VERSION:
        raise JobError(
            f"{folder.record} has version {found.get('version')}, and this insula reads version {VERSION}: "
            "use the insula that made the job"
        )
    return Record(**found)


def make_id() -> str:
    """Return a new job id: hexadecimal, and later ones sort behind earlier ones."""
    return f"{int(time.time() * 1000):012x}{os.urandom(3).hex()}"
