from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import insula.cli.group as group
from insula import __version__
from insula.errors import Fault, JobError, SpecError
from insula.plugins import finding

PLUGIN = """
import click


@click.command("greet")
@click.argument("name")
def command(name):
    "Greets."
    click.echo(f"hello {name}")
    return 3


not_a_command = 5
"""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    info = tmp_path / "insula_greet-2.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: insula-greet\nVersion: 2.0\n")
    info.joinpath("entry_points.txt").write_text(
        "[insula.commands]\ngreet = insula_greet_command:command\nodd = insula_greet_command:not_a_command\n"
    )
    tmp_path.joinpath("insula_greet_command.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    finding._scan.cache_clear()
    yield
    finding._scan.cache_clear()


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command("stop")
    def command() -> None:
        raise error

    monkeypatch.setattr("insula.cli.stop.command", command)


def test_without_a_command_there_is_help(runner: CliRunner) -> None:
    done = runner.invoke(group.insula, [])
    assert done.exit_code == 0
    assert done.stdout == runner.invoke(group.insula, ["--help"]).stdout
    for name in group.BUILT_IN:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", group.BUILT_IN)
def test_each_command_has_help_that_fits(name: str, runner: CliRunner) -> None:
    done = runner.invoke(group.insula, [name, "-h"])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: insula {name} ")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_version(runner: CliRunner) -> None:
    assert runner.invoke(group.insula, ["--version"]).stdout == f"insula {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["statsu", "01"], "there is no command 'statsu'; did you mean status?\nSee `insula --help`."),
        (["zzz"], "there is no command 'zzz'; known: check, delete, init, jobs, logs, plugins, "),
        (["run"], "Missing argument 'PROJECT'.\nSee `insula run --help`."),
        (["run", ".", "--workers", "0"], "--workers"),
        (["run", ".", "--workres", "2"], "--workres"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], says: str, runner: CliRunner) -> None:
    done = runner.invoke(group.insula, arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("insula: ")
    assert says in done.stderr
    assert done.stdout == ""


def test_a_user_error_is_all_its_lines_and_no_traceback(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, SpecError([Fault("first", line=1), Fault("second", line=2)], "cortex.yaml"))
    done = runner.invoke(group.insula, ["stop"])
    assert (done.exit_code, done.stderr) == (2, "insula: cortex.yaml:1: first\ncortex.yaml:2: second\n")


def test_a_fault_of_insula_keeps_its_traceback(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("nothing to divide"))
    done = runner.invoke(group.insula, ["stop"])
    assert done.exit_code == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "ZeroDivisionError: nothing to divide" in done.stderr
    assert "please report it" in done.stderr
    assert f"insula {__version__}, Python 3." in done.stderr


def test_ctrl_c_is_no_fault(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    done = runner.invoke(group.insula, ["stop"])
    assert done.exit_code == 130
    assert "Traceback" not in done.stderr


def test_a_program_may_call_it_without_an_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, JobError("no such job"))
    assert group.insula.main(["stop"], prog_name="insula", standalone_mode=False) == 2


@pytest.mark.usefixtures("offered")
def test_a_command_of_a_plugin(runner: CliRunner) -> None:
    done = runner.invoke(group.insula, ["greet", "you"])
    assert (done.exit_code, done.stdout) == (3, "hello you\n")


@pytest.mark.usefixtures("offered")
def test_help_names_commands_of_plugins_and_imports_none(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insula.plugins.load", lambda reference: pytest.fail("imported"))
    shown = runner.invoke(group.insula, ["--help"]).stdout
    assert "Commands of plugins:\n  greet  from insula-greet 2.0\n" in shown


@pytest.mark.usefixtures("offered")
def test_an_unknown_command_is_near_one_of_a_plugin(runner: CliRunner) -> None:
    assert "did you mean greet?" in runner.invoke(group.insula, ["gret"]).stderr


@pytest.mark.usefixtures("offered")
def test_a_plugin_that_offers_no_command(runner: CliRunner) -> None:
    done = runner.invoke(group.insula, ["odd"])
    assert done.exit_code == 2
    assert done.stderr == 'insula: command "odd" (insula-greet 2.0) is no click command, but int\n'


def test_a_built_in_command_scans_nothing(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insula.plugins.installed", lambda *_: pytest.fail("scanned"))
    assert runner.invoke(group.insula, ["jobs", "--json"]).stdout == "[]\n"
