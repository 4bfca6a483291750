"""What `insula init` makes is sound and runs at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Insula = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def insula(tmp_path: Path) -> Insula:
    environment = {**os.environ, "INSULA_HOME": str(tmp_path / "home")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "insula", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_from_an_empty_folder_to_results(insula: Insula, tmp_path: Path) -> None:
    assert insula("init", "first").returncode == 0
    done = insula("check", "first", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    # The data is no part of the program.
    assert (plan["files"], plan["ignored"], plan["faults"]) == (["job.json", "predictor.py"], [], [])
    for _ in range(2):
        done = insula("run", "first")
        assert done.returncode == 0, done.stderr
    project = tmp_path / "first"
    samples = project.joinpath("samples.jsonl").read_text().splitlines()
    lines = map(json.loads, project.joinpath("results/predictions.jsonl").read_text().splitlines())
    expected = ["long" if json.loads(sample)["petal_length"] > 3 else "short" for sample in samples]
    assert [line["prediction"] for line in lines] == expected
    assert set(expected) == {"long", "short"}
