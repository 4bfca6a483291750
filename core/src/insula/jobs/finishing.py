"""The end of a job whose batches are all settled: results complete, counted, and told to the predictor."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from insula import failpoints
from insula.coordinator.coordinator import Coordinator
from insula.coordinator.ending import Ending
from insula.coordinator.job import Job
from insula.errors import ConservationError
from insula.folder import replace
from insula.jobs import output as outputs
from insula.ledger import Ledger, State
from insula.results.dead_letters import export_dead_letters
from insula.results.export import Exporter


def finish(job: Job, ledger: Ledger, exporter: Exporter, coordinator: Coordinator) -> Ending:
    """Publish the results, check that nothing is lost, call `on_job_complete`, and write the summary.

    Raises:
        ConservationError: if samples in are not samples accounted for.
    """
    state = ledger.state
    exporter.finish()
    state.publishing = True
    ledger.commit()
    check_conservation(state, ledger.count_dead_letters())
    exporter.rename(outputs.PREDICTIONS)
    export_dead_letters(ledger, job.hooks, job.output / outputs.DEAD_LETTERS)
    for name in (outputs.PREDICTIONS, outputs.DEAD_LETTERS):
        outputs.publish(job.destination, job.output / name)
    with failpoints.around("completion"):
        ending = coordinator.complete()
    if ending.status != "completed":
        return ending
    exporter.wait_for_removals()
    ending = Ending("completed_with_failures" if state.dead else "succeeded")
    replace(job.output / outputs.SUMMARY, summarise(job, ledger, ending), private=False)
    outputs.publish(job.destination, job.output / outputs.SUMMARY)
    return ending


def check_conservation(state: State, letters: int) -> None:
    """Compare samples in with samples accounted for, each counted by other code.

    Args:
        state: `samples` is the splitter's count, `exported_lines` the exporter's as it copied.
        letters: how many dead letters the ledger has.

    Raises:
        ConservationError: if they differ.
    """
    predicted = state.exported_lines - state.whole + state.whole_samples
    if state.samples != predicted + letters + state.stored:
        raise ConservationError(
            f"{state.samples:,} samples in, but {predicted:,} predictions + {letters:,} dead letters + "
            f"{state.stored:,} stored by the predictor = {predicted + letters + state.stored:,}: "
            "this is a fault of insula; please report it with the job's folder"
        )


def summarise(job: Job, ledger: Ledger, ending: Ending) -> dict[str, Any]:
    """Return what is left to say of a run, as `summary.json` has it."""
    state = ledger.state
    kinds = [kind for kind, count in _returned(state).items() if count]
    summary: dict[str, Any] = {
        "job_id": job.id,
        "api_name": job.api_name,
        "status": ending.status,
        "batches": state.batches,
        "batches_succeeded": state.succeeded,
        "batches_failed": state.failed,
        "samples": state.samples,
        "predictions": state.each + state.whole_samples,
        "dead_letters": state.dead,
        "stored_by_predictor": state.stored,
        "lines": state.exported_lines,
        "non_finite": state.non_finite,
        "attempts_failed": state.attempts,
        "interruptions": state.interruptions,
        "coordinators": state.epoch,
        "workers": len(job.assignments),
        "created_time": iso_time(job.created),
        "start_time": iso_time(state.started),
        "end_time": iso_time(ending.time),
        "seconds": round(state.running, 3),
        "output": job.destination,
    }
    if len(kinds) > 1:
        summary["note"] = f"predict returned different kinds of results: {', '.join(kinds)}"
    if ending.message:
        summary["message"] = ending.message
    return summary


def _returned(state: State) -> dict[str, int]:
    return {
        "one prediction a sample": state.each,
        "one prediction a batch": state.whole,
        "nothing (the predictor stored its output)": state.stored,
    }


def iso_time(seconds: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC, None for None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
