"""Options and arguments that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

job_argument = click.argument("job", metavar="JOB")
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


def json_option(text: str) -> Callable[[F], F]:
    """Return the option `--json`, with its help."""
    return click.option("--json", is_flag=True, help=text)
