"""`insula plugins`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from insula.cli.options import json_option

if TYPE_CHECKING:
    from insula.plugins.listing import Listed

_COLUMNS = ("ROLE", "NAME", "DISTRIBUTION", "VERSION", "STATUS")


@click.command("plugins", short_help="List what is installed, broken plugins included.")
@json_option("Print a JSON array.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long the import of a plugin may take.",
)
def command(json: bool, timeout: float) -> int:
    """List every plugin that is installed, and of those that cannot be used the cause.

    Each is imported in a process of its own.
    """
    from insula.cli.output import write, write_json
    from insula.cli.table import table
    from insula.plugins.listing import list_plugins

    found = list_plugins(timeout)
    if json:
        write_json([_plain(plugin) for plugin in found])
    else:
        write(table(_COLUMNS, [_row(plugin) for plugin in found]))
        if any(plugin.cause for plugin in found):
            write("\n".join(_causes(found)))
    return 0


def _row(plugin: Listed) -> Sequence[str]:
    reference = plugin.reference
    return [_role(plugin), plugin.name, reference.distribution, reference.version, plugin.status]


def _role(plugin: Listed) -> str:
    from insula.plugins.reference import ROLES

    return ROLES[plugin.group].noun if plugin.group in ROLES else plugin.group


def _causes(found: Sequence[Listed]) -> Iterator[str]:
    for plugin in found:
        if plugin.cause:
            yield f"\n{_role(plugin)} {plugin.name}: {plugin.status}\n  " + plugin.cause.replace("\n", "\n  ")


def _plain(plugin: Listed) -> dict[str, str]:
    return {
        "role": _role(plugin),
        "group": plugin.group,
        "name": plugin.name,
        "distribution": plugin.reference.distribution,
        "version": plugin.reference.version,
        "object": plugin.reference.value,
        "status": plugin.status,
        "cause": plugin.cause,
        "description": plugin.description,
    }
