"""insula as a contestant: projects of a few lines, and its command line as a user types it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure import Run, run

# Word for word what the baselines' `noop` does.
NOOP = """
class PythonPredictor:
    def __init__(self):
        pass

    def predict(self, payload):
        return [0 if row["sepal_length"] > 0 else 1 for row in payload]
"""

ZERO = """
class PythonPredictor:
    def __init__(self):
        pass

    def predict(self, payload):
        return [0] * len(payload)
"""


def make_project(folder: Path, predictor: str) -> Path:
    """Write a project whose `predictor.py` is this text."""
    folder.mkdir(parents=True)
    folder.joinpath("predictor.py").write_text(predictor)
    folder.joinpath("cortex.yaml").write_text(
        "- name: bench\n  kind: BatchAPI\n  predictor: {type: python, path: predictor.py}\n"
    )
    return folder


def insula(*arguments: str | Path) -> list[str]:
    """The command line of `insula`: the installed script, as users start it."""
    script = Path(sys.executable).with_name("insula")
    start = [str(script)] if script.exists() else [sys.executable, "-m", "insula"]
    return [*start, *map(str, arguments)]


def submission(project: Path, rows: Path, output: Path, batch_size: int = 32, workers: int = 2) -> list[str]:
    """The command that runs `rows.jsonl` of a folder through a project."""
    return insula(
        *(
            "run",
            project,
            "--input",
            rows / "rows.jsonl",
            "--output",
            output,
            "--executor",
            "process",
            "--quiet",
        ),
        *("--batch-size", str(batch_size), "--workers", str(workers)),
    )


def run_job(project: Path, rows: Path, folder: Path, batch_size: int = 32) -> Run:
    """Run one job on two workers, its home and its results in `folder`."""
    return run(submission(project, rows, folder / "results", batch_size), home=folder / "home")
