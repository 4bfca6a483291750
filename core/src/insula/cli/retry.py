"""`insula retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from insula.cli.options import job_argument, json_option, keep_going_option, quiet_option

if TYPE_CHECKING:
    from insula.folder import JobFolder
    from insula.jobs.composing import Composed
    from insula.jobs.record import Record


@click.command("retry", short_help="Try the dead letters of a job again, as a new job.")
@job_argument
@click.option("--batch-size", metavar="N", type=click.IntRange(min=1), help="Samples in a batch, at most.")
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="Workers that run at a time.")
@click.option("--output", metavar="DIR", help="The folder for the results of the new job.")
@keep_going_option
@json_option("Print the summary as one JSON object at the end.")
@quiet_option
def command(
    job: str,
    batch_size: int | None,
    workers: int | None,
    output: str | None,
    keep_going: bool,
    json: bool,
    quiet: bool,
) -> int:
    """Run a new job over what JOB, which must be finished, gave up on.

    It has the submission of JOB and the project as it is now. Its lines keep the index that the samples have in the
    input of JOB; `insula results JOB --with-retries` puts both together. The exit code is that of `insula run`.
    """
    from insula.cli.running import run_new
    from insula.cli.told import Told

    def submit() -> tuple[JobFolder, Record, Composed]:
        from insula.jobs.retrying import retry
        from insula.jobs.store import JobStore, home

        store = JobStore(home())
        return retry(store.find(job), store, batch_size=batch_size, workers=workers, output=output)

    return run_new(submit, Told(json=json, quiet=quiet), keep_going=keep_going)
