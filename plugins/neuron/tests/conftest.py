"""A project that is run as a user does, on cores that are stated, with locks of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

SECONDS = 240


@attrs.frozen
class Project:
    """A project folder and the environment that its jobs run in."""

    root: Path
    environment: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.root / "project"

    def write(self, entry: Mapping[str, Any], submission: Mapping[str, Any], code: str = "") -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "predictor.py").write_text(code)
        (self.folder / "cortex.yaml").write_text(json.dumps([{"name": "api", **entry}]))
        (self.folder / "job.json").write_text(json.dumps(submission))

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start the command line."""
        return subprocess.Popen(
            [sys.executable, "-m", "insula", *words],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0, **variables: str) -> str:
        """Run the project, which must end with this exit code; return what it said."""
        output = ["--output", str(self.root / "out")] if not words else []
        with self.start(*(words or ("run", str(self.folder))), *output, **variables) as running:
            said, errors = running.communicate(timeout=SECONDS)
        assert running.returncode == code, errors
        return said + errors

    def predictions(self) -> list[Any]:
        lines = (self.root / "out" / "predictions.jsonl").read_text().splitlines()
        return [json.loads(line)["prediction"] for line in lines]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Make a project on a machine of so many chips with four cores each."""

    def make(chips: int = 1, *packages: Path, **variables: str) -> Project:
        path = os.pathsep.join(filter(None, [*map(str, packages), os.environ.get("PYTHONPATH", "")]))
        stated = {"INSULA_NEURON_CHIPS": str(chips), "INSULA_NEURON_CORES_PER_CHIP": "4"}
        own = {
            "INSULA_HOME": str(tmp_path / "home"),
            "INSULA_DEVICE_LOCKS": str(tmp_path / "locks"),
            "PYTHONPATH": path,
        }
        return Project(tmp_path, {**os.environ, **stated, **own, **variables})

    return make
