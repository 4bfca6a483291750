"""What a job's status file says of its end."""

from __future__ import annotations

from typing import Any

import orjson

from insula.folder import JobFolder

# Nothing is left to do for a job with one of these; every other job can be resumed.
FINISHED = {"succeeded", "completed_with_failures"}


def read_status(folder: JobFolder) -> dict[str, Any]:
    """Return the job's status file; empty if there is none."""
    try:
        found: dict[str, Any] = orjson.loads(folder.status.read_bytes())
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError):
        return {}
    return found


def has_ended(folder: JobFolder) -> bool:
    """Return whether nothing is left to do for a job, or there is no such job any more."""
    return not folder.record.exists() or read_status(folder).get("status") in FINISHED
