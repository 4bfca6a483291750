"""A job run by this process: watched, interrupted, and its end told."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from insula.cli.closing import finished, resuming
from insula.cli.codes import INTERRUPTED, REFUSED, SUCCEEDED, UNFINISHED
from insula.cli.display import choose
from insula.cli.interrupts import Interrupts
from insula.cli.told import Told
from insula.errors import JobError, SourceError, UserError
from insula.folder import JobFolder
from insula.jobs.listing import look_at
from insula.jobs.record import Record

if TYPE_CHECKING:
    from insula.executors.launching import Standby
    from insula.jobs.composing import Composed
    from insula.jobs.running import Prepared

# What a run needs besides the folder.
Ready = tuple[Record, "Prepared | None"]


def run_new(
    submit: Callable[[], tuple[JobFolder, Record, Composed]],
    told: Told,
    standby: Standby | None = None,
    *,
    keep_going: bool = False,
) -> int:
    """Make a job, run it to its end and tell that; return the exit code.

    Args:
        standby: interpreters started in advance for the first workers.
        keep_going: whether to run on although everything has failed so far.
    """
    with Interrupts() as interrupts:
        try:
            with _faults_told(told, None):
                folder, record, composed = submit()
        except UserError as error:
            told.refusal(_why_refused(error), str(error))
            return REFUSED
        return _run(
            folder,
            lambda: (record, _prepared(composed, standby, keep_going)),
            told,
            interrupts,
            f"\n{resuming(record.job_id)}",
        )


def run_again(folder: JobFolder, prepare: Callable[[], Record], told: Told, *, keep_going: bool = False) -> int:
    """Run a job that exists to its end and tell that; return the exit code.

    Args:
        prepare: returns the record to go on with; what it refuses leaves the job as it is.
        keep_going: whether to run on although everything has failed so far.
    """
    with Interrupts() as interrupts:
        return _run(folder, lambda: (prepare(), _prepared(None, None, keep_going)), told, interrupts)


def _prepared(composed: Composed | None, standby: Standby | None, keep_going: bool) -> Prepared:
    from insula.jobs.running import Prepared

    return Prepared(composed, standby, keep_going)


def _run(folder: JobFolder, prepare: Callable[[], Ready], told: Told, interrupts: Interrupts, hint: str = "") -> int:
    job_id = folder.root.name
    interrupts.expect(f"insula: stopping when the running batches are done; once more ends at once. {resuming(job_id)}")
    try:
        with _faults_told(told, job_id):
            summary = _watched(folder, *prepare(), told, interrupts)
    except UserError as error:
        return _refused(folder, error, told, hint)
    except KeyboardInterrupt:
        told.refusal("interrupted", f"job {job_id}: interrupted. {resuming(job_id)}", job_id)
        return INTERRUPTED
    told.end(summary)
    if summary["status"] == "succeeded":
        return SUCCEEDED
    return INTERRUPTED if interrupts.count and not finished(summary) else UNFINISHED


def _watched(
    folder: JobFolder, record: Record, prepared: Prepared | None, told: Told, interrupts: Interrupts
) -> dict[str, Any]:
    from insula.jobs.running import Watch, run

    with contextlib.ExitStack() as stack:
        display = stack.enter_context(choose(quiet=told.quiet, json=told.json))
        if told.json:
            # What a predictor in this process prints is no part of the answer.
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        watch = Watch(
            began=lambda coordinator: interrupts.connect(coordinator.stop, coordinator.abort),
            progress=display.progress,
            event=display.event,
        )
        return run(folder, record, watch, prepared)


def _refused(folder: JobFolder, error: UserError, told: Told, hint: str) -> int:
    if not folder.record.exists():
        told.refusal(_why_refused(error), str(error))
        return REFUSED
    told.refusal(_status(folder), f"job {folder.root.name}: {error}{hint}", folder.root.name)
    return UNFINISHED


def _why_refused(error: UserError) -> str:
    return "enqueue_failed" if isinstance(error, SourceError) else "refused"


def _status(folder: JobFolder) -> str:
    try:
        return look_at(folder).status
    except JobError:
        # The record itself may be what cannot be read.
        return "interrupted"


@contextlib.contextmanager
def _faults_told(told: Told, job_id: str | None) -> Iterator[None]:
    """Tell a fault of insula as JSON where that was asked for; its traceback is printed by who catches it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if told.json:
            told.refusal("unexpected_error", f"{type(error).__name__}: {error}", job_id)
        raise
