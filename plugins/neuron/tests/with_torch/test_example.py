"""The example, run as its README says, on the stand-in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[4] / "examples" / "digits-neuron"


@pytest.mark.parametrize(
    "chips, compute, ranges",
    [
        (1, "neuron_cores: 1", ["0"]),
        (1, "neuron_cores: 1", ["0", "1"]),
        (1, "neuron_cores: 1", ["0", "1", "2", "3"]),
        (2, "inf: 1", ["0-3", "4-7"]),
    ],
)
def test_it_reads_digits_on_any_number_of_cores(machine: Any, chips: int, compute: str, ranges: list[str]) -> None:
    made = machine(chips)
    folder, project, workers = made.project.folder, made.project, len(ranges)
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.pt", "*.jsonl", "__pycache__"))
    described = (folder / "cortex.yaml").read_text()
    assert "neuron_cores: 1" in described
    (folder / "cortex.yaml").write_text(described.replace("neuron_cores: 1", compute))
    subprocess.run([sys.executable, folder / "compile.py"], env=project.environment, check=True, timeout=240)
    project.run("run", str(folder), "--workers", str(workers), "--output", str(project.root / "out"))
    rows = [json.loads(line) for line in (folder / "digits.jsonl").read_text().splitlines()]
    found = project.predictions()
    assert len(found) == len(rows) == 898
    right = sum(one["digit"] == row["digit"] for one, row in zip(found, rows, strict=True))
    assert right >= 840
    assert {one["cores"] for one in found} <= set(ranges)
    # A worker that comes late to so small a job may find nothing left to load a model for.
    started = [event["environment"]["NEURON_RT_VISIBLE_CORES"] for event in made.events("started")]
    assert sorted(set(started)) == sorted(started), "no core is started by two processes"
    assert {one["cores"] for one in found} <= set(started) <= set(ranges)
    assert {event["rows"] for event in made.events("ran")} == {8}
    assert made.events("refused") == []
