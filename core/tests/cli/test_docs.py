"""`docs/reference/cli.md` shows the help that the commands have.

INSULA_UPDATE_DOCS=1 writes it anew instead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
import pytest

from insula.cli.group import BUILT_IN, insula

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
SHOWN = re.compile(r"```console\n\$ insula(?: (\w+))? --help\n(.*?)```\n", re.DOTALL)


def help_of(name: str | None) -> str:
    """Return the help of a command, or of insula itself, without what other packages add to it."""
    context = click.Context(insula, info_name="insula", max_content_width=100, terminal_width=100)
    command: click.Command | None = insula
    if name is not None:
        command = insula.get_command(context, name)
        context = click.Context(command, info_name=name, parent=context, max_content_width=100, terminal_width=100)
    assert command is not None
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context) + "\n"


def generated(page: str) -> str:
    return SHOWN.sub(lambda found: _block(found.group(1)), page)


def _block(name: str | None) -> str:
    asked = f"insula {name}" if name else "insula"
    return f"```console\n$ {asked} --help\n{help_of(name)}```\n"


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insula.plugins.installed", lambda group: ())


def test_the_help_that_is_shown_is_the_help_that_there_is() -> None:
    page = PAGE.read_text()
    if os.environ.get("INSULA_UPDATE_DOCS"):
        PAGE.write_text(generated(page))
    assert PAGE.read_text() == generated(page)


def test_every_command_is_shown_in_order() -> None:
    assert [name or None for name, _ in SHOWN.findall(PAGE.read_text())] == [None, *BUILT_IN]


def test_another_help_is_noticed() -> None:
    page = PAGE.read_text()
    assert generated(page.replace("Print nothing but errors.", "Print little.")) == generated(page)
    assert page.replace("Print nothing but errors.", "Print little.") != generated(page)
