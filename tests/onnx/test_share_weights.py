"""A job of four workers and a large model: with `share_weights` its weights are in memory once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SIZE, LAYERS, WORKERS = 2560, 8, 4  # 25 MiB a layer, 200 in all
# Each worker predicts, says so, and waits until it has been weighed.
PREDICTOR = """
import os
import time
from pathlib import Path

import numpy as np

ROWS = np.linspace(-1, 1, {size} * 4, dtype=np.float32).reshape(4, {size})


class ONNXPredictor:
    def __init__(self, onnx_client, config):
        self.client = onnx_client
        self.place = Path(config["place"])

    def predict(self, payload):
        answer = float(self.client.predict(ROWS)[0].sum()) if payload[0] else 0.0
        (self.place / str(os.getpid())).touch()
        deadline = time.monotonic() + 120
        while not (self.place / "weighed").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return [answer for _ in payload]
"""


def _model(path: Path, layers: int) -> None:
    import onnx
    from onnx import TensorProto, helper

    rng = np.random.default_rng(0)
    values = [rng.standard_normal((SIZE, SIZE), dtype=np.float32) / 50 for _ in range(layers)]
    weights = [onnx.numpy_helper.from_array(layer, f"w{number}") for number, layer in enumerate(values)]
    nodes = [helper.make_node("MatMul", [f"x{number}", f"w{number}"], [f"x{number + 1}"]) for number in range(layers)]
    nodes.append(helper.make_node("Identity", [f"x{layers}"], ["y"]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", SIZE]) for name in ("x0", "y")]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    _model(folder / "large.onnx", LAYERS)
    _model(folder / "none.onnx", 0)
    return folder


def _weigh(folder: Path, model: Path, **settings: Any) -> tuple[set[float], list[float]]:
    """Run a job; return what its workers answer, and the private MiB of each while all are in `predict`."""
    project, place = folder / "project", folder / "place"
    project.mkdir(parents=True)
    place.mkdir()
    (project / "predictor.py").write_text(PREDICTOR.format(size=SIZE))
    predictor = {"type": "onnx", "path": "predictor.py", "model_path": str(model), "onnx": settings}
    (project / "cortex.yaml").write_text(json.dumps({"name": "large", "predictor": predictor}))
    submission = {
        "workers": WORKERS,
        "config": {"place": str(place)},
        "item_list": {"items": [1] * 10 * WORKERS, "batch_size": 1},
    }
    (project / "job.json").write_text(json.dumps(submission))
    command = [sys.executable, "-m", "insula", "run", str(project), "--output", str(folder / "out")]
    environment = {**os.environ, "INSULA_HOME": str(folder / "home")}
    with (folder / "told").open("w") as told:
        job = subprocess.Popen(command, env=environment, stdout=told, stderr=told)
    try:
        private = [_private(pid) for pid in _workers(place, job, folder / "told")]
        (place / "weighed").touch()
        assert job.wait(60) == 0, (folder / "told").read_text()
    finally:
        if job.poll() is None:
            job.send_signal(signal.SIGKILL)
            job.wait()
    lines = (folder / "out" / "predictions.jsonl").read_text().splitlines()
    assert len(lines) == 10 * WORKERS
    return {json.loads(line)["prediction"] for line in lines}, private


def _workers(place: Path, job: subprocess.Popen[bytes], told: Path) -> list[int]:
    """Wait until all workers are in `predict`; return their process ids."""
    deadline = time.monotonic() + 120
    while len(found := [int(path.name) for path in place.iterdir()]) < WORKERS:
        assert job.poll() is None, told.read_text()
        assert time.monotonic() < deadline, f"only {len(found)} workers came to predict"
        time.sleep(0.05)
    return found


def _private(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def test_shared_weights_are_in_memory_once(models: Path, tmp_path: Path) -> None:
    large = models / "large.onnx"
    expected, apart = _weigh(tmp_path / "apart", large, share_weights=False)
    found, shared = _weigh(tmp_path / "shared", large)
    # As many of them: pages of libraries are private to a process that has them alone.
    _, without = _weigh(tmp_path / "without", models / "none.onnx")
    told = [[round(one) for one in sorted(private)] for private in (apart, shared, without)]
    print(f"private MiB of a worker: {told[0]} apart, {told[1]} shared, {told[2]} without weights")
    assert found == expected
    assert len(found) == 1
    assert max(shared) < min(apart) / 4
    assert max(shared) - min(without) < (min(apart) - min(without)) / 8
    prepared = tmp_path / "shared" / "home" / "models" / "prepared"
    assert len(list(prepared.glob("*/model.onnx"))) == 1
    assert not (tmp_path / "apart" / "home" / "models" / "prepared").exists()
