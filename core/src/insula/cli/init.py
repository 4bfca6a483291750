"""`insula init`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init", short_help="Make a small project that runs.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--type",
    "kind",
    metavar="NAME",
    default="python",
    show_default=True,
    help="The predictor type, of those that are installed.",
)
def command(folder: Path, kind: str) -> int:
    """Make a small project in DIR, by default the current folder; no file that is there is touched.

    The project is the predictor type's own. `insula run DIR` runs it at once.
    """
    from insula.cli.output import write
    from insula.cli.wording import count
    from insula.project.template import copy_template

    made = copy_template(kind, folder)
    write(f"Made {count(len(made), 'file')} in {folder}: {', '.join(map(str, made))}")
    write(f"Run it: insula run {folder}")
    return 0
