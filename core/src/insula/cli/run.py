"""`insula run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from insula.cli.options import asked_options, json_option, keep_going_option, project_argument, quiet_option

if TYPE_CHECKING:
    from insula.folder import JobFolder
    from insula.jobs.composing import Composed
    from insula.jobs.record import Record


@click.command("run", short_help="Run a project over its input.")
@project_argument
@asked_options
@keep_going_option
@click.option("--dry-run", is_flag=True, help="List the input's files, and run nothing.")
@click.option("--count", is_flag=True, help="Count samples and batches, and run nothing.")
@json_option("Print the summary, or what was listed or counted, as one JSON object at the end.")
@quiet_option
def command(
    project: Path,
    executor: str,
    keep_going: bool,
    dry_run: bool,
    count: bool,
    json: bool,
    quiet: bool,
    **asked: Any,
) -> int:
    """Run the predictor of PROJECT, a folder with a cortex.yaml, over its input.

    Ctrl-C once lets the running batches finish, twice ends at once; both leave a job to resume. The exit code is 0
    if the job succeeded, 1 if it exists and did not, 2 if nothing was run, 130 if it was interrupted.
    """
    import contextlib

    asked["executor"] = executor
    if dry_run or count:
        return _look(project, asked, files=dry_run, count=count, json=json)

    from insula.executors.launching import Standby

    with contextlib.ExitStack() as stack:
        # First of all: it imports what a worker needs while this process reads and checks the job on another core.
        standby = Standby(asked["workers"]) if executor == "process" else None
        if standby is not None:
            stack.callback(standby.close)
        from insula.cli.options import make_request
        from insula.cli.running import run_new
        from insula.cli.told import Told

        def submit() -> tuple[JobFolder, Record, Composed]:
            from insula.jobs.store import JobStore, home
            from insula.jobs.submitting import submit as submit_request

            return submit_request(make_request(project, asked), JobStore(home()))

        return run_new(submit, Told(json=json, quiet=quiet), standby, keep_going=keep_going)


def _look(project: Path, asked: dict[str, Any], *, files: bool, count: bool, json: bool) -> int:
    """Show what the input is instead of running anything."""
    from insula.cli.input import show
    from insula.cli.options import make_request
    from insula.jobs.looking import look_at_input
    from insula.jobs.store import home

    show(look_at_input(make_request(project, asked), home(), count=count), files=files, json=json)
    return 0
