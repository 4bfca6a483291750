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


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_it_reads_digits_on_any_number_of_cores(machine: Any, workers: int) -> None:
    made = machine()
    folder, project = made.project.folder, made.project
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.pt", "*.jsonl", "__pycache__"))
    subprocess.run([sys.executable, folder / "compile.py"], env=project.environment, check=True, timeout=240)
    project.run("run", str(folder), "--workers", str(workers), "--output", str(project.root / "out"))
    rows = [json.loads(line) for line in (folder / "digits.jsonl").read_text().splitlines()]
    found = project.predictions()
    assert len(found) == len(rows) == 898
    right = sum(one["digit"] == row["digit"] for one, row in zip(found, rows, strict=True))
    assert right >= 840
    assert {one["cores"] for one in found} <= {str(core) for core in range(workers)}
    assert {event["rows"] for event in made.events("ran")} == {8}
    assert made.events("refused") == []
