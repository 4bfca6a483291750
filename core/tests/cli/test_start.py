"""What starting a command imports: start-up counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SLOW = {"rich", "yaml", "cattrs", "sqlite3", "importlib_metadata", "numpy", "fsspec", "multiprocessing"}


def imported(*arguments: object, environment: dict[str, str]) -> set[str]:
    command = [sys.executable, "-X", "importtime", "-m", "insula", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().split(".")[0] for line in lines}


def test_the_entry_point_imports_nothing_before_it_is_called() -> None:
    code = "import sys, insula.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*SLOW, "click"} & set(done.stdout.split())


@pytest.mark.parametrize("arguments", [["--version"], ["run", "--help"], ["stop", "--help"]])
def test_help_of_a_command_imports_little(arguments: list[str], environment: dict[str, str]) -> None:
    names = imported(*arguments, environment=environment)
    assert {"click", "insula"} <= names
    assert names & SLOW == set()


def test_a_run_into_a_file_draws_no_bar(project: Path, environment: dict[str, str]) -> None:
    names = imported("run", project, "--input", project / "rows.jsonl", "--executor", "inline", environment=environment)
    assert "sqlite3" in names
    assert names & {"rich", "numpy", "fsspec", "multiprocessing"} == set()
