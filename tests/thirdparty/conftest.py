"""A folder into which packages are really installed, and the command line that finds them there."""

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

HERE = Path(__file__).parent


@attrs.frozen
class Site:
    """Installed packages and a project; both are seen by child processes only."""

    packages: Path
    project: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(self.packages), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "PYTHONPATH": path, "INSULA_HOME": str(self.home)}

    def offer(self, name: str, entry_points: str, requires: str = "insula>=0.1,<1") -> None:
        """Write the metadata of a package without code."""
        info = self.packages / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: {requires}\n"
        )
        (info / "entry_points.txt").write_text(entry_points)

    def insula(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command line, which must end with this exit code."""
        command = [sys.executable, "-m", "insula", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr
        return done

    def write(self, predictor: Mapping[str, Any], submission: Mapping[str, Any], **entry: Any) -> None:
        """Write cortex.yaml (JSON is YAML too) and job.json."""
        api = {"name": "api", "predictor": predictor, **entry}
        (self.project / "cortex.yaml").write_text(json.dumps(api))
        (self.project / "job.json").write_text(json.dumps(submission))


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The third party's package, built and installed as anyone would, into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(HERE / "acme")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def site(acme: Path, tmp_path: Path) -> Site:
    import shutil

    shutil.copytree(acme, tmp_path / "packages")
    (tmp_path / "project").mkdir()
    return Site(tmp_path / "packages", tmp_path / "project", tmp_path / "home")
