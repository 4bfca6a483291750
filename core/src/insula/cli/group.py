"""The group of all commands: built-in ones, and those of plugins; and what becomes of errors."""

from __future__ import annotations

import importlib
import platform
import sys
from typing import Any

import click

from insula import __version__
from insula.cli.codes import INTERRUPTED, REFUSED, UNFINISHED
from insula.cli.output import complain, write
from insula.errors import PluginError, UserError

# Each in the module of its name, as `command`.
BUILT_IN = (
    "init",
    "check",
    "run",
    "resume",
    "stop",
    "jobs",
    "status",
    "logs",
    "results",
    "retry",
    "delete",
    "plugins",
)
_ENTRY_POINTS = "insula.commands"


class Commands(click.Group):
    """Commands that are imported when they are named, and plugins' commands behind them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the built-in commands, in the order in which one needs them."""
        return list(BUILT_IN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None if there is none.

        Raises:
            PluginError: if the plugin that offers it cannot be used.
        """
        if cmd_name in BUILT_IN:
            found: click.Command = importlib.import_module(f"insula.cli.{cmd_name}").command
            return found
        return _plugin_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; of an unknown one, name the nearest.

        Raises:
            click.UsageError: if there is none.
        """
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from insula.structure import did_you_mean

            known = [*BUILT_IN, *_plugin_commands()]
            raise click.UsageError(f"there is no command {name!r}; {did_you_mean(name, known)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, those of plugins with who offers them: showing help runs no plugin."""
        super().format_commands(ctx, formatter)
        offers = _plugin_commands()
        if offers:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(sorted(offers.items()))

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command; print what went wrong; exit with its code, or return that if not `standalone_mode`."""
        standalone = options.pop("standalone_mode", True)
        code = self._run(args, options)
        if standalone:
            sys.exit(code)
        return code

    def _run(self, args: Any, options: Any) -> int:
        try:
            code: int | None = super().main(*args, **{**options, "standalone_mode": False})
            return code or 0
        except click.ClickException as error:
            complain(_usage(error))
            return REFUSED
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - what is neither the user's nor the machine's is a fault of insula
            return _failed(error)


def _failed(error: Exception) -> int:
    from insula.jobs.shortages import shortage

    short = shortage(error)
    if short is None and not isinstance(error, UserError):
        _confess()
        return UNFINISHED
    complain(str(short or error))
    return REFUSED


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    return message if context is None else f"{message}\nSee `{context.command_path} --help`."


def _confess() -> None:
    import traceback

    complain(f"{traceback.format_exc()}\nThis is a fault of insula: please report it, with all of the above and this:")
    complain(f"insula {__version__}, Python {platform.python_version()}, {platform.platform()}")


def _plugin_commands() -> dict[str, str]:
    from insula import plugins

    return {offer.name: f"from {offer.distribution} {offer.version}" for offer in plugins.installed(_ENTRY_POINTS)}


def _plugin_command(name: str) -> click.Command | None:
    from insula import plugins

    if name not in _plugin_commands():
        return None
    reference = plugins.find(_ENTRY_POINTS, name)
    found = plugins.load(reference)
    if not isinstance(found, click.Command):
        raise PluginError(f"{reference} is no click command, but {type(found).__name__}")
    return found


@click.group(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="insula %(version)s")
@click.pass_context
def insula(context: click.Context) -> None:
    """Batch inference: run a predictor over millions of samples, lose none, repeat none.

    Jobs are kept under INSULA_HOME, by default in the user's data folder.
    """
    if context.invoked_subcommand is None:
        write(context.get_help())
