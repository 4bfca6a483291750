"""A project that is run as a user does, with locks of devices of its own and packages that only it sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

# Long enough for every worker to be wanted.
ENVIRONMENT = """
import os, time

class PythonPredictor:
    def __init__(self, config):
        self.names = config["names"]
        self.seen = {name: os.environ.get(name) for name in self.names}

    def predict(self, payload):
        time.sleep(0.05)
        return [self.seen for _ in payload]
"""


@attrs.frozen
class Bench:
    """A project, and packages of which only the metadata is written."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(self.root / "packages"), os.environ.get("PYTHONPATH", "")]))
        own = {"INSULA_HOME": str(self.root / "home"), "INSULA_DEVICE_LOCKS": str(self.root / "locks")}
        return {**os.environ, **own, "PYTHONPATH": path}

    def offer(self, name: str, entry_points: str, *paths: Path) -> None:
        """Make a package known, and folders in which its code is."""
        info = self.root / "packages" / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        requires = "Requires-Dist: insula>=0.1,<1"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}\n")
        (info / "entry_points.txt").write_text(entry_points)
        for path in paths:
            (self.root / "packages" / path.name).symlink_to(path)

    def write(self, compute: Mapping[str, Any], *names: str, code: str = ENVIRONMENT, **submission: Any) -> None:
        """Write a project whose predictor tells the variables of these names."""
        predictor = {"type": "python", "path": "predictor.py", "config": {"names": names}}
        self.project.mkdir(exist_ok=True)
        (self.project / "predictor.py").write_text(code)
        (self.project / "cortex.yaml").write_text(
            json.dumps([{"name": "api", "predictor": predictor, "compute": compute}])
        )
        source = {"item_list": {"items": list(range(120)), "batch_size": 2}}
        (self.project / "job.json").write_text(json.dumps({**source, **submission}))

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "insula", *words]
        environment = {**self.environment, **variables}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *words: str, code: int = 0, **variables: str) -> str:
        """Run the project, which must end with this exit code; return what it said."""
        words = words or ("run", str(self.project), "--output", str(self.root / "out"))
        with self.start(*words, **variables) as running:
            said, errors = running.communicate(timeout=240)
        assert running.returncode == code, errors
        return said + errors

    def predictions(self) -> list[Any]:
        lines = (self.root / "out" / "predictions.jsonl").read_text().splitlines()
        return [json.loads(line)["prediction"] for line in lines]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "packages").mkdir()
    return Bench(tmp_path)
