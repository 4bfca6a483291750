"""`insula resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from insula.cli.options import job_argument, json_option, quiet_option

if TYPE_CHECKING:
    from insula.cli.told import Told
    from insula.folder import JobFolder
    from insula.jobs.record import Record


@click.command("resume", short_help="Go on with a job that is not finished.")
@job_argument
@click.option("--changed", is_flag=True, help="Accept that the project changed since the job began.")
@json_option("Print the summary as one JSON object at the end.")
@quiet_option
def command(job: str, changed: bool, json: bool, quiet: bool) -> int:
    """Go on with JOB where it stands: what is done is not done again.

    JOB is the id of a job, or the beginning of one. A job that is finished stays as it is. The exit code is that of
    `insula run`.
    """
    from insula.cli.codes import REFUSED
    from insula.cli.running import run_again
    from insula.cli.told import Told
    from insula.errors import UserError
    from insula.jobs.ended import FINISHED, read_status
    from insula.jobs.store import JobStore, home

    told = Told(json=json, quiet=quiet)
    try:
        folder = JobStore(home()).find(job)
    except UserError as error:
        told.refusal("refused", str(error))
        return REFUSED
    if read_status(folder).get("status") in FINISHED:
        return _finished(folder, told)
    return run_again(folder, lambda: _record(folder, changed=changed), told)


def _finished(folder: JobFolder, told: Told) -> int:
    from insula.cli.codes import SUCCEEDED, UNFINISHED
    from insula.cli.output import say
    from insula.jobs.ended import read_status

    summary = read_status(folder)
    if not told.json and not told.quiet:
        say(f"Job {folder.root.name} is finished already.")
    told.end(summary)
    return SUCCEEDED if summary["status"] == "succeeded" else UNFINISHED


def _record(folder: JobFolder, *, changed: bool) -> Record:
    from insula.errors import JobError
    from insula.jobs.asking import accept_change, find_change
    from insula.jobs.lock import is_held
    from insula.jobs.record import read_record

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
