"""How a job stands, in the words of Cortex's batch APIs and in insula's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from insula.folder import JobFolder
from insula.jobs.finishing import iso_time
from insula.jobs.listing import ListedJob
from insula.worker.cell import look

# A batch that has been in `predict` for longer is shown: a hung call looks like this, and so does a slow one.
STALLED = 60.0
_WORKERS = ("pending", "initializing", "running", "succeeded", "failed", "stalled")


def standing(job: ListedJob) -> dict[str, Any]:
    """Return all that is known of a job as plain data: insula's own keys, and Cortex's under `job_status`."""
    plain = job.to_plain()
    # By the names that the summary has, and by those only.
    attempts = plain.pop("attempts", 0)
    plain.pop("dead", None)
    counts = plain.pop("worker_counts", {})
    return {
        **plain,
        "attempts_failed": plain.get("attempts_failed", attempts),
        "interruptions": plain.get("interruptions", 0),
        "stalled_batches": stalled(job.folder) if job.running else [],
        "job_status": _job_status(job, plain, counts if job.running else {}),
    }


def stalled(folder: JobFolder) -> list[dict[str, Any]]:
    """Return the batches of a running job that have been in `predict` for more than a minute, the longest first."""
    now = time.monotonic()
    cells = (look(path)[0] for path in folder.cells.iterdir())
    found = [(now - doing.since, doing.ordinal) for doing in cells if doing is not None]
    return [
        {"batch": ordinal, "seconds": round(seconds, 1)}
        for seconds, ordinal in sorted(found, reverse=True)
        if seconds > STALLED
    ]


def _job_status(job: ListedJob, plain: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    settled, failed, alive = plain.get("settled", 0), plain.get("failed", 0), plain.get("workers", 0)
    batches, workers = plain.get("batches"), job.record.submission.get("workers") or alive
    return {
        "job_id": plain["job_id"],
        "api_name": plain["api_name"],
        "workers": workers,
        "status": plain["status"],
        "batches_in_queue": None if batches is None else batches - settled,
        "batch_metrics": {
            "succeeded": settled - failed,
            "failed": failed,
            "avg_time_per_batch": _average(plain.get("seconds", 0.0), settled, workers),
        },
        "worker_counts": {word: counts.get(word, 0) for word in _WORKERS},
        "created_time": plain["created_time"],
        "start_time": plain.get("start_time") or iso_time(plain.get("started")),
        "end_time": plain.get("end_time"),
    }


def _average(seconds: float, settled: int, workers: int) -> float | None:
    """Return how long a worker takes for a batch, with all that is between two batches."""
    return round(seconds * max(workers, 1) / settled, 6) if settled else None
