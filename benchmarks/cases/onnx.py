"""ONNX Runtime through insula: what the client adds to a call, and a small model on two workers."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import data, job
from benchmarks.cases.rows import BASELINES
from benchmarks.compare import race
from benchmarks.measure import Contestant, Run
from benchmarks.measure import run as start
from benchmarks.options import Options
from benchmarks.table import Figure

MODEL = "iris_lr"
PAIRS = 500
PREDICTOR = """
import numpy as np

KEYS = ("sepal_length", "sepal_width", "petal_length", "petal_width")

class ONNXPredictor:
    def __init__(self, onnx_client):
        self.client = onnx_client

    def predict(self, payload):
        return self.client.predict(np.array([[row[key] for key in KEYS] for row in payload], dtype=np.float32))[0]
"""


def train(path: Path) -> Path:
    """Train the baselines' iris classifier and write it as ONNX, once."""
    if not path.exists():
        from skl2onnx import to_onnx
        from sklearn.datasets import load_iris
        from sklearn.linear_model import LogisticRegression

        rows, species = load_iris(return_X_y=True)
        model = LogisticRegression(max_iter=1000).fit(rows, species)
        made = to_onnx(model, rows[:1].astype("float32"), options={"zipmap": False})
        path.write_bytes(made.SerializeToString())
    return path


def make_project(folder: Path, model: Path) -> Path:
    """Write a project that runs a model."""
    job.make_project(folder, PREDICTOR)
    predictor = f"{{type: onnx, path: predictor.py, model_path: {model}}}"
    folder.joinpath("cortex.yaml").write_text(f"- name: bench\n  kind: BatchAPI\n  predictor: {predictor}\n")
    return folder


def run_by_hand(rows: Path, folder: Path) -> Run:
    return start([sys.executable, str(BASELINES / "hand_multi.py"), str(rows), str(folder), "32", MODEL])


def overhead(model: Path) -> Figure:
    """Time `onnx_client.predict` and `session.run` in turns."""
    import numpy as np
    import onnxruntime

    from insula_onnx.client import ONNXClient
    from insula_onnx.model import SINGLE, OnnxModel

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    client = ONNXClient([OnnxModel(SINGLE, session, frozenset())])
    rows = np.full((32, 4), 1.5, dtype=np.float32)
    feed: dict[str, Any] = {session.get_inputs()[0].name: rows}
    pairs = [(_timed(session.run, None, feed), _timed(client.predict, rows)) for _ in range(PAIRS)]
    bare, ours = (median(times) for times in zip(*pairs, strict=True))
    extra = median(ours - bare for bare, ours in pairs)
    note = f"medians of {PAIRS} pairs: {ours * 1e6:.1f} µs and {bare * 1e6:.1f} µs"
    return Figure("onnx", "onnx_client.predict more than session.run", extra * 1e6, "µs", at_most=30, note=note)


def _timed(call: Any, *arguments: Any) -> float:
    begin = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - begin


def run(options: Options) -> list[Figure]:
    rows = data.iris(options.data, options.size(1_000_000, 20_000), signs=(1,))
    model = train(rows / f"{MODEL}.onnx")
    project = make_project(options.work / "project", model)
    contestants: dict[str, Contestant] = {
        "insula": partial(job.run_job, project, rows),
        "hand_multi": partial(run_by_hand, rows),
    }
    runs = race(contestants, options.repeat(5), options.work)
    ratio = runs["hand_multi"].seconds / runs["insula"].seconds
    note = f"{runs['hand_multi']} over {runs['insula']}"
    return [overhead(model), Figure("onnx", "hand_multi over insula, the iris model", ratio, at_least=1.0, note=note)]
