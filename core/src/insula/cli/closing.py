"""The last words of a run: what came of it, where the results are, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from insula.cli.wording import count, duration
from insula.jobs.ended import FINISHED

# What ended the job was most likely the user's code or settings.
_TO_MEND = ("worker_error", "worker_oom")


def finished(summary: Mapping[str, Any]) -> bool:
    """Return whether nothing is left to do for the job of a summary."""
    return summary.get("status") in FINISHED


def closing(summary: Mapping[str, Any]) -> str:
    """Return in a few lines what a summary says."""
    return "\n".join(_finished(summary) if finished(summary) else _unfinished(summary))


def resuming(job_id: str) -> str:
    """Return how to go on with a job."""
    return f"To finish it: insula resume {job_id}"


def mending(job_id: str) -> str:
    """Return how to go on with a job that would end as it did as long as its project stays as it is."""
    return f"To finish it, once the cause is mended: insula resume {job_id} --changed"


def _finished(summary: Mapping[str, Any]) -> Iterator[str]:
    status = str(summary["status"]).replace("_", " ")
    yield f"Job {summary['job_id']} {status}: {count(summary['batches'], 'batch')} in {duration(summary['seconds'])}"
    yield conservation(summary)
    yield f"Results: {summary['output']}"
    if summary["stored_by_predictor"] and not summary["predictions"]:
        yield "No predictions were collected: predict returned None (or predictor.returns is nothing)"
    if summary["dead_letters"]:
        yield f"Dead letters, each with its reason: {summary['output']}/dead_letters.jsonl"
        yield f"To try them again, once the cause is mended: insula retry {summary['job_id']}"
    elif summary.get("attempts_failed"):
        failed = count(summary["attempts_failed"], "call")
        yield f"On the way {failed} of predict failed, and all was made good: insula logs {summary['job_id']}"
    if summary.get("non_finite"):
        yield f"Written as null: {count(summary['non_finite'], 'value')} that are NaN or infinite"
    if summary.get("note"):
        yield f"Note: {summary['note']}"


def conservation(summary: Mapping[str, Any]) -> str:
    """Return in one line where every sample went."""
    predictions = count(summary["predictions"], "prediction")
    letters = count(summary["dead_letters"], "dead letter")
    stored = summary["stored_by_predictor"]
    return f"{count(summary['samples'], 'sample')} = {predictions} + {letters} + {stored:,} stored by the predictor"


def _unfinished(summary: Mapping[str, Any]) -> Iterator[str]:
    status = str(summary["status"]).replace("_", " ")
    message = summary.get("message")
    yield f"job {summary['job_id']}: {status}" + (f": {message}" if message else "")
    done = summary["predictions"] + summary["dead_letters"] + summary["stored_by_predictor"]
    go_on = mending if summary["status"] in _TO_MEND else resuming
    yield f"{done:,} of {summary['samples']:,} samples are done. {go_on(summary['job_id'])}"
