"""`insula check`: whole processes, since a worker is started."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Insula = Callable[..., "subprocess.CompletedProcess[str]"]
EXECUTORS = pytest.mark.parametrize("executor", ["inline", "process"])


@EXECUTORS
def test_what_would_run(executor: str, insula: Insula, project: Path, home: Path) -> None:
    project.joinpath("cortex.yaml").write_text(
        "name: doubles\nkind: BatchAPI\npredictor: {type: plain, path: predictor.py}\nnetworking: {endpoint: e}\n"
    )
    project.joinpath(".cortexignore").write_text("rows.jsonl\n")
    rows = str(project / "rows.jsonl")
    asked = ["--input", rows, "--workers", "3", "--output", "out", "--executor", executor]
    done = insula("check", project, *asked, "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert [plan["api_name"], plan["class"], plan["path"]] == ["doubles", "Predictor", "predictor.py"]
    assert plan["files"] == ["predictor.py"]
    assert plan["bytes"] == (project / "predictor.py").stat().st_size
    assert plan["ignored"] == ["networking"]
    assert [(one["name"], one["distribution"]) for one in plan["plugins"]] == [
        ("plain", "insula-plain-type"),
        ("cpu", "insula"),
        ("delimited_files", "insula"),
        (executor, "insula"),
    ]
    assert (plan["workers"], [one["worker"] for one in plan["assignments"]]) == (3, [0, 1, 2])
    assert (plan["source"], plan["output"], plan["faults"]) == (
        "delimited_files",
        str(project.parent / "out"),
        [],
    )
    shown = insula("check", project, *asked).stdout
    for words in ("Predictor in predictor.py", "plain from insula-plain-type 1.0", "ignored    networking"):
        assert words in shown
    # Nothing was run, and nothing is left.
    assert list(home.iterdir()) == []
    assert not project.parent.joinpath("out").exists()


def test_a_project_without_input(insula: Insula, project: Path) -> None:
    done = insula("check", project)
    assert done.returncode == 0, done.stderr
    assert "none yet: give --input" in done.stdout


@EXECUTORS
def test_what_only_a_worker_sees(executor: str, insula: Insula, project: Path) -> None:
    predictor = project / "predictor.py"
    predictor.write_text("import no_such_module\n" + predictor.read_text())
    done = insula("check", project, "--executor", executor)
    assert done.returncode == 2
    assert "no_such_module" in done.stderr
    assert "/insula/" not in done.stderr
    assert "Predictor in predictor.py" in done.stdout


def test_a_worker_that_dies(insula: Insula, project: Path, home: Path) -> None:
    predictor = project / "predictor.py"
    predictor.write_text("import os\nprint('last words', flush=True)\nos._exit(3)\n" + predictor.read_text())
    done = insula("check", project, "--json")
    assert done.returncode == 2
    (fault,) = json.loads(done.stdout)["faults"]
    assert "ended with exit code 3" in fault
    assert "last words" in fault
    assert list(home.iterdir()) == []


def test_what_is_wrong_before_a_worker_could_start(insula: Insula, project: Path) -> None:
    project.joinpath("cortex.yaml").write_text("name: doubles\npredictor: {type: plain, path: gone.py}\n")
    done = insula("check", project, "--json")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert list(answer) == ["faults"]
    assert "gone.py" in answer["faults"][0]


def test_a_home_that_cannot_be_written(insula: Insula, project: Path, home: Path) -> None:
    home.write_text("a file")
    done = insula("check", project)
    assert done.returncode == 2
    assert "INSULA_HOME" in done.stderr
