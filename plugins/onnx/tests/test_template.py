"""What `insula init --type onnx` makes is sound and runs at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def insula(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "INSULA_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "insula", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_from_an_empty_folder_to_results(tmp_path: Path) -> None:
    insula(tmp_path, "init", "--type", "onnx", "first")
    plan = json.loads(insula(tmp_path, "check", "first", "--json"))
    assert (plan["files"], plan["faults"]) == (["job.json", "model.onnx", "predictor.py"], [])
    for _ in range(2):
        insula(tmp_path, "run", "first")
    lines = (tmp_path / "first" / "results" / "predictions.jsonl").read_text().splitlines()
    # The samples are of these kinds, by the table of irises that they are from.
    expected = [*["setosa"] * 4, *["versicolor"] * 3, *["virginica"] * 3]
    assert [json.loads(line)["prediction"] for line in lines] == expected
