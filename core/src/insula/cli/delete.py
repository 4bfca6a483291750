"""`insula delete`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from insula.cli.options import jobs_argument

if TYPE_CHECKING:
    from insula.folder import JobFolder


def _age(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    from insula.jobs.deleting import parse_age

    try:
        return None if value is None else parse_age(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("delete", short_help="Delete jobs.")
@jobs_argument
@click.option(
    "--older-than",
    metavar="AGE",
    callback=_age,
    help="Delete all jobs that are not running and in which nothing happened for so long: 30d, 12h.",
)
@click.option("--yes", is_flag=True, help="Do not ask, on a terminal, whether to delete them.")
def command(jobs: tuple[str, ...], older_than: float | None, yes: bool) -> int:
    """Delete each JOB: its ledger, logs and what else is in its folder.

    Results in a folder that --output named stay; those in the job's own folder go. A running job is refused.
    """
    from insula.cli.output import write
    from insula.cli.wording import count
    from insula.jobs.deleting import delete

    if bool(jobs) == (older_than is not None):
        raise click.UsageError("name the jobs to delete, or give --older-than", click.get_current_context())
    found = _found(jobs, older_than)
    if found and not yes and _at_a_terminal() and not _confirmed(found):
        write("Nothing was deleted.")
        return 0
    for folder in found:
        delete(folder)
    write(f"Deleted {count(len(found), 'job')}.")
    return 0


def _found(jobs: Sequence[str], older_than_seconds: float | None) -> list[JobFolder]:
    from insula.errors import JobError
    from insula.jobs.deleting import older_than
    from insula.jobs.lock import is_held
    from insula.jobs.store import JobStore, home

    store = JobStore(home())
    if older_than_seconds is not None:
        return list(older_than(store, older_than_seconds))
    found = list({folder.root: folder for folder in map(store.find, jobs)}.values())
    running = [folder.root.name for folder in found if is_held(folder.lock)]
    if running:
        # Before any is deleted.
        raise JobError(
            "\n".join(f"job {name} is running: stop it first, with `insula stop {name}`" for name in running)
        )
    return found


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _confirmed(found: Sequence[JobFolder]) -> bool:
    from insula.cli.output import say
    from insula.errors import JobError
    from insula.jobs.listing import look_at

    for folder in found:
        try:
            job = look_at(folder)
        except JobError as error:
            say(f"{folder.root.name}: {error}")
            continue
        hint = "" if job.finished else ", not finished: it could be resumed"
        results = ", with its results" if job.record.output == str(folder.results) else ""
        say(f"{folder.root.name}  {job.record.api_name}  {job.status}{hint}{results}")
    return click.confirm("Delete these?", err=True)
