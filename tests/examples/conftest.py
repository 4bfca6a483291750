"""Examples, run as their README says, each in a copy of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen
class Example:
    """A copy of one example."""

    folder: Path

    def script(self, name: str) -> None:
        """Run one of its scripts."""
        subprocess.run([sys.executable, self.folder / name], check=True)

    def run(self, *arguments: str | Path) -> list[Any]:
        """Run its job; return the predictions."""
        output = self.folder.parent / "out"
        command = [sys.executable, "-m", "insula", "run", self.folder, "--output", output, "--quiet", *arguments]
        environment = {**os.environ, "INSULA_HOME": str(self.folder.parent / "home")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line)["prediction"] for line in (output / "predictions.jsonl").read_text().splitlines()]


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Example]:
    def copy(name: str) -> Example:
        ignored = shutil.ignore_patterns("__pycache__", "models", "model", "tunes", "*.jsonl")
        return Example(Path(shutil.copytree(ROOT / "examples" / name, tmp_path / name, ignore=ignored)))

    return copy
