"""The published schema of torch_neuronx, held by a stand-in in C++, which is built once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIB = Path(__file__).parents[1] / "lib"
STAND_IN = LIB / "stand_in_cpp"
CODE = """
class PythonPredictor:
    def __init__(self, neuron_client):
        self.client = neuron_client

    def predict(self, payload):
        return self.client.predict(payload)
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built library, and the model `newer.pt` that was compiled with it."""
    folder = tmp_path_factory.mktemp("built")
    # ninja may have come with the environment, which need not be on the PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(STAND_IN), "STAND_IN_BUILD": str(folder)}
    subprocess.run([sys.executable, LIB / "compiling_cpp.py", folder], env=environment, check=True, timeout=900)
    return folder


@pytest.fixture
def made(built: Path, project: Callable[..., Any]) -> Any:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return project(1, STAND_IN, STAND_IN_BUILD=str(built), PATH=path)


def describe(model: Path, **neuron: Any) -> dict[str, Any]:
    predictor = {"type": "python", "path": "predictor.py", "model_path": str(model)}
    return {"predictor": predictor, "compute": {"neuron_cores": 1, "neuron": neuron}}


def rows(count: int) -> list[list[float]]:
    return [[number + 0.5, 2.0 * number] for number in range(count)]


def test_the_archive_loads_only_behind_the_import(built: Path) -> None:
    command = [sys.executable, "-c", "import sys, torch; torch.jit.load(sys.argv[1])", built / "newer.pt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != 0
    assert "torch.classes.neuron.Model" in done.stderr


@pytest.mark.parametrize("settings", [{"batch_size": 4}, {"dynamic_batch": True}])
@pytest.mark.parametrize("size", [1, 4, 6, 13])
def test_batches_of_any_size(made: Any, built: Path, settings: dict[str, Any], size: int) -> None:
    source = {"item_list": {"items": rows(13), "batch_size": size}}
    made.write(describe(built / "newer.pt", **settings), {"workers": 1, **source}, CODE)
    made.run()
    assert made.predictions() == [[2 * left, 2 * right] for left, right in rows(13)]


def test_the_compiled_batch_is_enforced(made: Any, built: Path) -> None:
    source = {"item_list": {"items": rows(3), "batch_size": 3}, "retries": 0, "isolate_failures": False}
    made.write(describe(built / "newer.pt"), {"workers": 1, **source}, CODE)
    said = made.run(code=1)
    letters = (made.root / "out" / "dead_letters.jsonl").read_text()
    assert "compiled for batches of 4 and got 3 rows: set compute.neuron.batch_size to 4" in letters + said
