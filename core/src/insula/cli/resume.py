"""`insula resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from insula.cli.options import job_argument, json_option, keep_going_option, quiet_option

if TYPE_CHECKING:
    from insula.cli.told import Told
    from insula.folder import JobFolder


@click.command("resume", short_help="Go on with a job that is not finished.")
@job_argument
@click.option("--changed", is_flag=True, help="Accept that the project changed since the job began.")
@keep_going_option
@json_option("Print the summary as one JSON object at the end.")
@quiet_option
def command(job: str, changed: bool, keep_going: bool, json: bool, quiet: bool) -> int:
    """Go on with JOB where it stands: what is done is not done again.

    JOB is the id of a job, or the beginning of one. A job that is finished stays as it is. The exit code is that of
    `insula run`.
    """
    from insula.cli.codes import REFUSED
    from insula.cli.running import run_again
    from insula.cli.told import Told
    from insula.errors import UserError
    from insula.jobs.asking import record_to_resume
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
    return run_again(folder, lambda: record_to_resume(folder, changed=changed), told, keep_going=keep_going)


def _finished(folder: JobFolder, told: Told) -> int:
    from insula.cli.codes import SUCCEEDED, UNFINISHED
    from insula.cli.output import say
    from insula.jobs import output as outputs
    from insula.jobs.ended import read_status
    from insula.jobs.record import read_record

    # It may have been killed just before it gave that up itself.
    outputs.release(read_record(folder).output, folder)
    summary = read_status(folder)
    if not told.json and not told.quiet:
        say(f"Job {folder.root.name} is finished already.")
    told.end(summary)
    return SUCCEEDED if summary["status"] == "succeeded" else UNFINISHED
