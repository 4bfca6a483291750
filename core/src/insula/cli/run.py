"""`insula run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from insula.cli.options import json_option, quiet_option

if TYPE_CHECKING:
    from insula.folder import JobFolder
    from insula.jobs.composing import Composed
    from insula.jobs.record import Record


@click.command("run", short_help="Run a project over its input.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--api", metavar="NAME", help="The API to run, where cortex.yaml holds several.")
@click.option(
    "--submission",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A job submission to read instead of the project's job.json.",
)
@click.option(
    "--input",
    "inputs",
    metavar="PATH",
    multiple=True,
    help="A file, folder or glob of JSON lines, in place of the submission's input. May be repeated.",
)
@click.option("--batch-size", metavar="N", type=click.IntRange(min=1), help="Samples in a batch.")
@click.option("--workers", metavar="N", type=click.IntRange(min=1), help="Workers that run at a time.")
@click.option("--output", metavar="DIR", help="The folder for the results.")
@click.option(
    "--config",
    metavar="KEY=VALUE",
    multiple=True,
    help="Laid over predictor.config: a.b=1 sets b in a; values are YAML. May be repeated.",
)
@click.option(
    "--executor",
    metavar="NAME",
    default="process",
    show_default=True,
    help="What starts the workers: process, inline, or a plugin's.",
)
@json_option("Print the summary as one JSON object at the end.")
@quiet_option
def command(
    project: Path,
    api: str | None,
    submission: Path | None,
    inputs: tuple[str, ...],
    batch_size: int | None,
    workers: int | None,
    output: str | None,
    config: tuple[str, ...],
    executor: str,
    json: bool,
    quiet: bool,
) -> int:
    """Run the predictor of PROJECT, a folder with a cortex.yaml, over its input.

    Ctrl-C once lets the running batches finish, twice ends at once; both leave a job to resume. The exit code is 0
    if the job succeeded, 1 if it exists and did not, 2 if nothing was run, 130 if it was interrupted.
    """
    import contextlib

    from insula.executors.launching import Standby

    with contextlib.ExitStack() as stack:
        # First of all: it imports what a worker needs while this process reads and checks the job on another core.
        standby = Standby() if executor == "process" else None
        if standby is not None:
            stack.callback(standby.close)
        from insula.cli.running import run_new
        from insula.cli.told import Told

        def submit() -> tuple[JobFolder, Record, Composed]:
            from insula.jobs.store import JobStore, home
            from insula.jobs.submitting import Request
            from insula.jobs.submitting import submit as submit_request
            from insula.loading import parse_overrides

            laid_over = parse_overrides(config)
            request = Request(
                project, api, submission, inputs, batch_size, workers, output, laid_over, executor
            )
            return submit_request(request, JobStore(home()))

        return run_new(submit, Told(json=json, quiet=quiet), standby)
