from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from savedmodels import scaled

PREDICTOR = """
import sys

class TensorFlowPredictor:
    def __init__(self, config, tensorflow_client):
        self.client = tensorflow_client
        self.name = config["model"]

    def predict(self, payload):
        found = self.client.predict({"x": payload}, self.name)["y"]
        return [{"y": row, "framework": "tensorflow" in sys.modules} for row in found]
"""


def _run(folder: Path, predictor: Mapping[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ten samples through models, as a user does."""
    # A module that adds operations may be the project's.
    imports = {"tensorflow": {"imports": ["operations"]}}
    section = {"type": "tensorflow", "path": "predictor.py", "config": {"model": "twice"}, **imports, **predictor}
    project = folder / "project"
    project.mkdir()
    (project / "operations.py").touch()
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "cortex.yaml").write_text(json.dumps([{"name": "api", "predictor": section}]))
    source = {"item_list": {"items": [[number] * 4 for number in range(10)], "batch_size": 3}}
    (project / "job.json").write_text(json.dumps({"workers": 2, **source}))
    return _start(folder, *arguments)


def _start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    project, output = folder / "project", folder / "out"
    command = [sys.executable, "-m", "insula", "run", project, "--output", output, *arguments, "--quiet"]
    environment = {**os.environ, "INSULA_HOME": str(folder / "home")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _predictions(folder: Path, done: subprocess.CompletedProcess[str]) -> list[Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line)["prediction"] for line in (folder / "out" / "predictions.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("shape, executor", [("list", "inline"), ("paths", "process"), ("dir", "process")])
def test_a_job_runs_with_models_in_every_shape(tmp_path: Path, shape: str, executor: str) -> None:
    twice = scaled(tmp_path / "models" / "twice" / "7", 2.0).parent
    thrice = Path(shutil.make_archive(str(tmp_path / "models" / "thrice"), "zip", scaled(tmp_path / "thrice", 3.0)))
    models = {
        "list": [{"name": "twice", "model_path": str(twice)}, {"name": "thrice", "model_path": str(thrice)}],
        "paths": {"paths": [{"name": "twice", "path": "../models/twice", "signature_key": "serving_default"}]},
        "dir": {"dir": "../models"},
    }[shape]
    found = _predictions(tmp_path, _run(tmp_path, {"models": models}, "--executor", executor))
    assert [one["y"] for one in found] == [[2.0 * number] * 4 for number in range(10)]
    assert all(one["framework"] for one in found)


@pytest.mark.parametrize("batching", [{}, {"server_side_batching": {"max_batch_size": 6, "batch_interval": "20ms"}}])
def test_workers_share_a_server_and_import_no_tensorflow(tmp_path: Path, batching: Mapping[str, Any]) -> None:
    models = [{"name": "twice", "path": str(scaled(tmp_path / "twice", 2.0))}]
    done = _run(tmp_path, {"models": models, "tensorflow_serving": {"embedded": True}, **batching})
    assert _predictions(tmp_path, done) == [{"y": [2.0 * number] * 4, "framework": False} for number in range(10)]
    (job,) = (tmp_path / "home" / "jobs").iterdir()
    events = [json.loads(line) for line in (job / "events.jsonl").read_text().splitlines()]
    assert sum(one["event"] == "service_started" for one in events) == 1


FOUR = """
import os, pathlib, time

class TensorFlowPredictor:
    def __init__(self, config, tensorflow_client):
        self.client = tensorflow_client
        there = pathlib.Path(config["there"])
        (there / str(os.getpid())).touch()
        deadline = time.monotonic() + 240
        while len(list(there.iterdir())) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def predict(self, payload):
        return [[os.getpid(), row] for row in self.client.predict({"x": payload})["y"]]
"""


def test_requests_of_four_workers_are_joined_and_each_gets_its_own_rows(tmp_path: Path) -> None:
    there, project = tmp_path / "there", tmp_path / "project"
    there.mkdir()
    scaled(project / "model", 2.0)
    (project / "predictor.py").write_text(FOUR)
    predictor = {
        "type": "tensorflow",
        "path": "predictor.py",
        "model_path": "model",
        "config": {"there": str(there)},
        "server_side_batching": {"max_batch_size": 8, "batch_interval": "50ms"},
    }
    (project / "cortex.yaml").write_text(json.dumps([{"name": "api", "predictor": predictor}]))
    source = {"item_list": {"items": [[number] * 4 for number in range(40)], "batch_size": 1}}
    (project / "job.json").write_text(json.dumps({"workers": 4, **source}))
    found = _predictions(tmp_path, _start(tmp_path))
    assert [row for _, row in found] == [[2.0 * number] * 4 for number in range(40)]
    assert len({worker for worker, _ in found}) > 1
    (log,) = (tmp_path / "home" / "jobs").glob("*/services/tensorflow.log")
    (told,) = re.findall(r"(\d+) requests in (\d+) runs", log.read_text())
    assert int(told[0]) == 40
    assert int(told[1]) < 40


@pytest.mark.parametrize("serving", [{}, {"tensorflow_serving": {"embedded": True}}])
def test_a_bad_model_ends_the_job_before_it_begins(tmp_path: Path, serving: Mapping[str, Any]) -> None:
    path = scaled(tmp_path / "twice", 2.0)
    (path / "saved_model.pb").write_bytes(b"<html>")
    done = _run(tmp_path, {"models": [{"name": "twice", "model_path": str(path)}], **serving})
    assert done.returncode == 2, done.stdout + done.stderr
    assert "saved_model.pb is cut off, or something else; it begins with b'<html>'" in done.stderr
    assert "twice" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "home" / "jobs").iterdir()) == []


def test_no_model_is_told(tmp_path: Path) -> None:
    done = _run(tmp_path, {})
    assert done.returncode == 2
    assert "predictor type tensorflow needs a model_path, or models" in done.stderr
