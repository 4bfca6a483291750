"""Options and arguments that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from insula.jobs.submitting import Request

F = TypeVar("F", bound=Callable[..., Any])


def _job_ids(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    from insula.errors import UserError
    from insula.jobs.store import JobStore, home

    try:
        return [folder.root.name for folder in JobStore(home()) if folder.root.name.startswith(begun)]
    except UserError:
        return []  # a shell that completes a word is no place for messages


job_argument = click.argument("job", metavar="JOB", shell_complete=_job_ids)
jobs_argument = click.argument("jobs", metavar="[JOB]...", nargs=-1, shell_complete=_job_ids)
project_argument = click.argument("project", type=click.Path(path_type=Path))
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")
keep_going_option = click.option("--keep-going", is_flag=True, help="Run on although everything has failed so far.")
_ASKED = (
    click.option("--api", metavar="NAME", help="The API to run, where cortex.yaml holds several."),
    click.option(
        "--submission",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A job submission to read instead of the project's job.json.",
    ),
    click.option(
        "--input",
        "inputs",
        metavar="PATH",
        multiple=True,
        help="A file, folder or glob of JSON lines, in place of the submission's input. May be repeated.",
    ),
    click.option("--batch-size", metavar="N", type=click.IntRange(min=1), help="Samples in a batch."),
    click.option("--workers", metavar="N", type=click.IntRange(min=1), help="Workers that run at a time."),
    click.option("--output", metavar="DIR", help="The folder for the results."),
    click.option(
        "--config",
        metavar="KEY=VALUE",
        multiple=True,
        help="Laid over predictor.config: a.b=1 sets b in a; values are YAML. May be repeated.",
    ),
    click.option(
        "--executor",
        metavar="NAME",
        default="process",
        show_default=True,
        help="What starts the workers: process, inline, or a plugin's.",
    ),
)


def json_option(text: str) -> Callable[[F], F]:
    """Return the option `--json`, with its help."""
    return click.option("--json", is_flag=True, help=text)


def asked_options(command: F) -> F:
    """Give a command the options that say what is to be run."""
    for option in reversed(_ASKED):
        command = option(command)
    return command


def make_request(project: Path, asked: dict[str, Any]) -> Request:
    """Return what `asked_options` and the project ask for.

    Raises:
        UserError: if a value of `--config` is none.
    """
    from insula.jobs.submitting import Request
    from insula.loading import parse_overrides

    return Request(project, **{**asked, "config": parse_overrides(asked["config"])})
