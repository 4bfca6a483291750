"""`insula results`."""

from __future__ import annotations

from pathlib import Path

import click

from insula.cli.options import job_argument


@click.command("results", short_help="Print or copy the results of a job.")
@job_argument
@click.option("--with-retries", is_flag=True, help="Put the predictions of retries in the places of dead letters.")
@click.option("--dead-letters", is_flag=True, help="Print the dead letters instead of the predictions.")
@click.option(
    "--output",
    metavar="DIR",
    default="-",
    show_default=True,
    help="A folder to copy predictions, dead letters and summary to; - prints the predictions.",
)
def command(job: str, with_retries: bool, dead_letters: bool, output: str) -> int:
    """Print the predictions of JOB, which must be finished, in the order of its input.

    With --with-retries, what `insula retry` made of the job's dead letters is part of that order. Samples that are dead
    letters still, or that the predictor stored itself, have no line.
    """
    from insula.cli.output import say, write_lines
    from insula.jobs import reading
    from insula.jobs.store import JobStore, home

    store = JobStore(home())
    folder = store.find(job)
    retries = reading.Retries(store) if with_retries else None
    if output == "-":
        write_lines((reading.dead_letters if dead_letters else reading.predictions)(folder, retries))
    elif dead_letters:
        raise click.UsageError("--dead-letters prints; --output copies them along")
    else:
        reading.copy(folder, Path(output), retries)
    for name in retries.unfinished if retries else ():
        say(f"insula: job {name}, a retry, is not finished: nothing of it is included")
    return 0
