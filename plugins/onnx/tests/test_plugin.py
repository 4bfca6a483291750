from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from making import identity, scaled

from insula import plugins
from insula.descriptors import Model, WorkerContext
from insula.spec import ModelSpec
from insula_onnx.client import ONNXClient
from insula_onnx.plugin import OnnxPlugin

Write = Callable[..., Path]
PREDICTOR = """
class ONNXPredictor:
    def __init__(self, config, onnx_client):
        self.client = onnx_client
        self.name = config["model"]

    def predict(self, payload):
        return self.client.predict(payload, self.name)[0]
"""


def test_it_is_found_by_its_word() -> None:
    reference = plugins.find("insula.predictors", "onnx")
    kind = plugins.predictor_type(reference, plugins.load(reference))
    assert (kind.name, kind.class_name, kind.arguments, kind.models) == (
        "onnx",
        "ONNXPredictor",
        ("onnx_client",),
        "required",
    )
    assert "gpu" in kind.hardware


def test_describing_it_imports_no_framework() -> None:
    code = "import sys, insula_onnx.plugin as p; p.plugin.insula_predictor_type(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "insula_onnx.settings" in loaded
    assert not {"numpy", "onnxruntime", "onnx"} & set(loaded)


def test_what_the_preflight_loads_is_handed_over_once(context: Callable[..., WorkerContext], write: Write) -> None:
    plugin, made = OnnxPlugin(), context({"m": write(identity())})
    assert plugin.insula_preflight(made) == []
    model = plugin.insula_load_model(made, ModelSpec("m", "model.onnx"))
    client = plugin.insula_create_client([model])
    assert isinstance(model, Model)
    assert client.argument == "onnx_client"
    assert isinstance(client.object, ONNXClient)
    with pytest.raises(KeyError):
        plugin.insula_load_model(made, ModelSpec("m", "model.onnx"))


def _run(folder: Path, models: object, executor: str) -> subprocess.CompletedProcess[str]:
    """Run ten samples through models, as a user does."""
    predictor = {"type": "onnx", "path": "predictor.py", "models": models, "config": {"model": "twice"}}
    project = folder / "project"
    project.mkdir()
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "cortex.yaml").write_text(json.dumps([{"name": "api", "predictor": predictor}]))
    source = {"item_list": {"items": [[number] * 4 for number in range(10)], "batch_size": 3}}
    (project / "job.json").write_text(json.dumps({"workers": 2, **source}))
    command = [sys.executable, "-m", "insula", "run", project, "--output", folder / "out", "--executor", executor]
    environment = {**os.environ, "INSULA_HOME": str(folder / "home")}
    return subprocess.run([*command, "--quiet"], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("executor", ["inline", "process"])
@pytest.mark.parametrize("shape", ["list", "paths", "dir"])
def test_a_job_runs_with_models_in_every_shape(write: Write, tmp_path: Path, executor: str, shape: str) -> None:
    paths = {"twice": write(scaled(2), "models/twice.onnx"), "thrice": write(scaled(3), "models/thrice/1/model.onnx")}
    models = {
        "list": [{"name": name, "model_path": str(path)} for name, path in paths.items()],
        "paths": {"paths": [{"name": name, "path": str(path)} for name, path in paths.items()]},
        "dir": {"dir": "../models"},
    }[shape]
    done = _run(tmp_path, models, executor)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert [line["prediction"] for line in lines] == [[2.0 * number] * 4 for number in range(10)]


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_bad_model_ends_the_job_before_it_begins(write: Write, tmp_path: Path, executor: str) -> None:
    path = write(scaled(2), "cut.onnx")
    path.write_bytes(path.read_bytes()[:-30])
    done = _run(tmp_path, [{"name": "twice", "model_path": str(path)}], executor)
    assert done.returncode == 2
    assert f"model twice ({path}): the file is cut off" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "home" / "jobs").iterdir()) == []
