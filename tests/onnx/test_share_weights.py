"""Four processes and a large model: with `share_weights` its weights are in memory once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

SIZE, LAYERS = 2560, 8  # 25 MiB a layer, 200 in all
# What a worker does with its model, up to its first batch.
WORKER = """
import sys
from pathlib import Path

import numpy as np

from insula.descriptors import Assignment, WorkerContext
from insula.spec import ApiSpec, ModelSpec, PredictorSpec
from insula.spec.api import ModelsSpec
from insula_onnx.loading import load_all
from insula_onnx.settings import OnnxSettings, Section

listed = tuple(ModelSpec("large", path) for path in sys.argv[2:])
section = Section(OnnxSettings(share_weights=sys.argv[1] == "share"))
context = WorkerContext(
    api=ApiSpec("api", PredictorSpec("onnx", "predictor.py", models=ModelsSpec(listed), settings=section)),
    config={}, job_spec={"workers": 4}, project=Path.cwd(), assignment=Assignment(0), models=listed, worker="w",
)
models, faults = load_all(context)
assert not faults, faults
rows = np.linspace(-1, 1, 2560 * 4, dtype=np.float32).reshape(4, 2560)
print([float(model.predict(rows)[0].sum()) for model in models.values()], flush=True)
sys.stdin.read()
"""


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


def _weigh(folder: Path, share: bool, count: int = 4, models: tuple[Path, ...] = ()) -> tuple[set[str], list[float]]:
    """Start so many processes; return what their models answer, and the private MiB of each while all are there."""
    command = [sys.executable, "-c", WORKER, "share" if share else "apart", *map(str, models)]
    environment = {**os.environ, "INSULA_HOME": str(folder / "home")}
    ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, env=environment, text=True, **ends) for _ in range(count)]  # type: ignore[call-overload]
    try:
        answers = {process.stdout.readline() for process in processes}
        return answers, [_private(process.pid) for process in processes]
    finally:
        for process in processes:
            process.communicate()


def _private(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def test_shared_weights_are_in_memory_once(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    _model(model)
    expected, apart = _weigh(tmp_path, share=False, models=(model,))
    found, shared = _weigh(tmp_path, share=True, models=(model,))
    _, (nothing,) = _weigh(tmp_path, share=False, count=1)
    print(f"private MiB a process: {apart} apart, {shared} shared, {nothing} without a model")
    assert found == expected
    assert len(found) == 1
    assert max(shared) < min(apart) / 4
    assert max(shared) - nothing < (min(apart) - nothing) / 8
    assert len(list((tmp_path / "home" / "models" / "prepared").glob("*/model.onnx"))) == 1
