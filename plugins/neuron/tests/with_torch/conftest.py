"""Models compiled by the stand-in, and jobs that run them with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

LIB = Path(__file__).parents[1] / "lib"
STAND_IN = LIB / "stand_in"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models; `compiling.py` says which."""
    folder = tmp_path_factory.mktemp("models")
    environment = {**os.environ, "PYTHONPATH": str(STAND_IN)}
    subprocess.run([sys.executable, LIB / "compiling.py", folder], env=environment, check=True, timeout=240)
    return folder


@attrs.frozen
class Machine:
    """A machine with the stand-in: a project, and what its driver saw."""

    project: Any
    driver: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        log = self.driver / "log.jsonl"
        lines = map(json.loads, log.read_text().splitlines()) if log.exists() else ()
        return [line for line in lines if line["event"] == kind]


@pytest.fixture
def machine(project: Callable[..., Any], tmp_path: Path) -> Callable[..., Machine]:
    """Make a machine of so many chips with four cores each."""

    def make(chips: int = 1, **variables: str) -> Machine:
        driver = tmp_path / "driver"
        driver.mkdir()
        return Machine(project(chips, STAND_IN, STAND_IN_DRIVER=str(driver), **variables), driver)

    return make
