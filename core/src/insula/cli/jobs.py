"""`insula jobs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from insula.cli.options import json_option

if TYPE_CHECKING:
    from insula.jobs.listing import ListedJob

_COLUMNS = ("JOB", "API", "STATUS", "CREATED", "SAMPLES", "DEAD LETTERS", "PROJECT")


@click.command("jobs", short_help="List jobs, the newest first.")
@json_option("Print a JSON array.")
def command(json: bool) -> int:
    """List jobs, the newest first.

    A job whose coordinator died is shown as interrupted, its counts as they were a moment before: `insula status` reads
    the true ones.
    """
    from insula.cli.output import say, write, write_json
    from insula.cli.table import table

    found = _found()
    if json:
        write_json([job.to_row() for job in found])
    elif found:
        write(table(_COLUMNS, [_row(job.to_row()) for job in found]))
    else:
        say("There are no jobs yet.")
    return 0


def _found() -> list[ListedJob]:
    from insula.cli.output import complain
    from insula.errors import JobError
    from insula.jobs.listing import look_at
    from insula.jobs.store import JobStore, home

    found = []
    for folder in JobStore(home()):
        try:
            found.append(look_at(folder))
        except JobError as error:
            # One job that cannot be read hides no other.
            complain(str(error))
    return found


def _row(job: dict[str, Any]) -> list[str]:
    from insula.cli.wording import local_time

    total = job["samples"]
    samples = f"{job['samples_done']:,}" + ("" if total is None else f" of {total:,}")
    created = local_time(job["created_time"])
    return [
        job["job_id"],
        job["api_name"],
        job["status"],
        created,
        samples,
        f"{job['dead_letters']:,}",
        job["project"],
    ]
