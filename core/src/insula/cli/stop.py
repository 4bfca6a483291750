"""`insula stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from insula.cli.options import job_argument

if TYPE_CHECKING:
    from insula.folder import JobFolder

_PATIENCE = 60.0


@click.command("stop", short_help="Stop a running job.")
@job_argument
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait, a minute at most, until it has stopped.")
def command(job: str, wait: bool) -> int:
    """Let the running batches of JOB finish, and no others begin; `insula resume` goes on with it.

    The exit code is 0 if it has stopped, 1 if it still runs, 2 if it was not running.
    """
    from insula.cli.codes import SUCCEEDED, UNFINISHED
    from insula.cli.output import say, write
    from insula.jobs.asking import stop
    from insula.jobs.store import JobStore, home

    folder = JobStore(home()).find(job)
    job_id = folder.root.name
    if stop(folder, _PATIENCE if wait else 0.0):
        write(_stopped(folder))
        return SUCCEEDED
    if not wait:
        say(f"Job {job_id} was asked to stop.")
        return SUCCEEDED
    say(f"Job {job_id} was asked to stop, and after {_PATIENCE:.0f} s still runs its last batches.")
    return UNFINISHED


def _stopped(folder: JobFolder) -> str:
    from insula.cli.closing import resuming
    from insula.jobs.listing import look_at

    job = look_at(folder)
    if job.finished:
        return f"Job {folder.root.name} was finished before it could stop: {job.status}."
    return f"Job {folder.root.name} is {job.status}. {resuming(folder.root.name)}"
