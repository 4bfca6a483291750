"""Four workers and a large model: with `share_weights` its weights are in memory once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SIZE, LAYERS = 2048, 6  # 16 MiB a layer
# Each worker waits in its constructor for all others, so that all have the model while they are weighed.
PREDICTOR = """
import os, time
from pathlib import Path
import numpy as np

class ONNXPredictor:
    def __init__(self, onnx_client, config):
        self.client = onnx_client
        self.folder = Path(config["folder"])

    def predict(self, payload):
        rows = np.array(payload, dtype=np.float32)
        answer = self.client.predict(rows)[0][:, :4]
        (self.folder / f"loaded-{os.getpid()}").touch()
        deadline = time.monotonic() + 60
        while len(list(self.folder.glob("loaded-*"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        mine = [line.split() for line in open("/proc/self/smaps_rollup")]
        private = sum(int(words[1]) for words in mine if words[0].startswith("Private"))
        (self.folder / f"weighed-{os.getpid()}").write_text(str(private / 1024))
        while len(list(self.folder.glob("weighed-*"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        return answer
"""
WEIGH_NOTHING = "import numpy, onnxruntime; print(sum(int(line.split()[1]) for line in open('/proc/self/smaps_rollup') if line.startswith('Private')) / 1024)"


def _model(path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(SIZE, SIZE)).astype(np.float32) / 50 for _ in range(LAYERS)]
    weights = [onnx.numpy_helper.from_array(layer, f"w{number}") for number, layer in enumerate(layers)]
    nodes = [helper.make_node("MatMul", [f"x{number}", f"w{number}"], [f"x{number + 1}"]) for number in range(LAYERS)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", SIZE]) for name in ("x0", f"x{LAYERS}")]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _run(folder: Path, share: bool) -> tuple[list[Any], list[float]]:
    """Run four batches on four workers; return the predictions, and the private MiB of each worker."""
    folder.mkdir()
    predictor = {"type": "onnx", "path": "predictor.py", "model_path": str(folder.parent / "model.onnx"),
                 "config": {"folder": str(folder)}, "onnx": {"share_weights": share, "intra_op_threads": 1}}  # fmt: skip
    project = folder / "project"
    project.mkdir()
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "cortex.yaml").write_text(json.dumps([{"name": "large", "predictor": predictor}]))
    items = np.random.default_rng(1).normal(size=(4, SIZE)).round(3).tolist()
    (project / "job.json").write_text(json.dumps({"workers": 4, "item_list": {"items": items, "batch_size": 1}}))
    environment = {**os.environ, "INSULA_HOME": str(folder.parent / "home")}
    command = [sys.executable, "-m", "insula", "run", project, "--output", folder / "out", "--quiet"]
    subprocess.run(command, env=environment, check=True)
    lines = (folder / "out" / "predictions.jsonl").read_text().splitlines()
    weighed = [float(file.read_text()) for file in folder.glob("weighed-*")]
    return [json.loads(line)["prediction"] for line in lines], sorted(weighed)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_shared_weights_are_in_memory_once(tmp_path: Path) -> None:
    _model(tmp_path / "model.onnx")
    expected, apart = _run(tmp_path / "apart", share=False)
    found, shared = _run(tmp_path / "shared", share=True)
    print(f"private MiB a worker: {apart} apart, {shared} shared")
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert len(apart) == len(shared) == 4
    nothing = float(
        subprocess.run([sys.executable, "-c", WEIGH_NOTHING], capture_output=True, text=True, check=True).stdout
    )
    # The interpreter and ONNX Runtime themselves are no part of the model.
    assert max(shared) - nothing < (min(apart) - nothing) / 4
    assert len(list((tmp_path / "home" / "models" / "prepared").glob("*/model.onnx"))) == 1
