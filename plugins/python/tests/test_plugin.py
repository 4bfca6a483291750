"""The predictor type `python`, alone beside the core."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from insula.descriptors import PredictorType
from insula.errors import UserError
from insula.jobs.running import run
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit
from insula.plugins import find, load, predictor_type


def test_it_is_found_through_its_entry_point_and_describes_itself() -> None:
    reference = find("insula.predictors", "python")
    assert (reference.distribution, reference.value) == ("insula-python", "insula_python.plugin:plugin")
    described = predictor_type(reference, load(reference))
    assert described.template is not None
    assert (described.template / "cortex.yaml").is_file()
    assert attrs.evolve(described, template=None) == PredictorType(
        name="python", class_name="PythonPredictor", models="optional", hardware=("gpu",)
    )


def test_importing_it_imports_no_framework() -> None:
    code = "import insula_python.plugin, sys; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in found.stdout.split()}
    assert "insula_python" in loaded
    assert loaded.isdisjoint({"numpy", "torch", "tensorflow", "onnxruntime", "pandas", "cattrs", "yaml", "rich"})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "cortex.yaml").write_text(
        "name: doubles\npredictor:\n  type: python\n  path: predictor.py\n  config: {factor: 2}\n"
    )
    (folder / "predictor.py").write_text(
        "class PythonPredictor:\n"
        "    def __init__(self, config):\n"
        "        self.factor = config['factor']\n"
        "    def predict(self, payload):\n"
        "        return [self.factor * one for one in payload]\n"
    )
    (folder / "job.json").write_text(json.dumps({"item_list": {"items": [1, 2, 3], "batch_size": 2}}))
    return folder


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_job_runs_with_it(project: Path, tmp_path: Path, executor: str) -> None:
    request = Request(project, output=str(tmp_path / "out"), executor=executor)
    folder, record, _ = submit(request, JobStore(tmp_path / "home"))
    summary = run(folder, record)
    lines = (tmp_path / "out/predictions.jsonl").read_text().splitlines()
    assert summary["status"] == "succeeded"
    assert [json.loads(line)["prediction"] for line in lines] == [2, 4, 6]


def test_it_needs_a_path_and_the_class(project: Path, tmp_path: Path) -> None:
    (project / "cortex.yaml").write_text("name: doubles\npredictor: {type: python}\n")
    with pytest.raises(UserError, match=r"predictor\.path: missing: the file that defines PythonPredictor"):
        submit(Request(project), JobStore(tmp_path / "home"))


def test_models_that_nobody_would_load_are_an_error(project: Path, tmp_path: Path) -> None:
    text = (project / "cortex.yaml").read_text()
    (project / "model.bin").touch()
    (project / "cortex.yaml").write_text(f"{text}  model_path: model.bin\n")
    folder, record, _ = submit(Request(project, output=str(tmp_path / "out")), JobStore(tmp_path / "home"))
    with pytest.raises(UserError, match=r"predictor\.models: predictor type python loads no models by itself"):
        run(folder, record)
    assert not folder.root.exists()
