"""A job whose server is killed in the middle of a prediction."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import tensorflow as tf
from ownserver import PATIENCE
from savedmodels import save, spec

PREDICTOR = """
import pathlib
import numpy as np

class TensorFlowPredictor:
    def __init__(self, tensorflow_client, config):
        self.client = tensorflow_client
        self.asked = pathlib.Path(config["asked"])

    def predict(self, payload):
        self.asked.joinpath(str(payload[0])).touch()
        return [int(self.client.predict({"x": np.int32(150_000 + sample)})["y"]) for sample in payload]
"""


def _count(x: Any) -> dict[str, Any]:
    return {"y": tf.while_loop(lambda i: i < x, lambda i: (i + 1,), (tf.constant(0),), parallel_iterations=1)[0]}


def _servers(job: subprocess.Popen[str]) -> list[psutil.Process]:
    below = psutil.Process(job.pid).children(recursive=True)
    return [one for one in below if "insula_tensorflow.server" in " ".join(one.cmdline())]


def test_it_costs_attempts_and_no_sample(tmp_path: Path) -> None:
    asked, project = tmp_path / "asked", tmp_path / "project"
    asked.mkdir()
    project.mkdir()
    save(project / "model", count=(_count, {"x": spec([], tf.int32)}))
    (project / "predictor.py").write_text(PREDICTOR)
    predictor = {
        "type": "tensorflow",
        "path": "predictor.py",
        "model_path": "model",
        "tensorflow_serving": {"embedded": True},
        "config": {"asked": str(asked)},
    }
    entry = {"name": "count", "kind": "BatchAPI", "predictor": predictor}
    (project / "cortex.yaml").write_text(json.dumps([entry]))
    samples = list(range(8))
    (project / "job.json").write_text(json.dumps({"workers": 2, "item_list": {"items": samples, "batch_size": 1}}))
    environment = {**os.environ, "INSULA_HOME": str(tmp_path / "home"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "insula", "run", str(project), "--output", str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as job:
        try:
            deadline = time.monotonic() + PATIENCE
            while len(list(asked.iterdir())) < 2:
                assert time.monotonic() < deadline
                assert job.poll() is None, job.stdout and job.stdout.read()
                time.sleep(0.01)
            (server,) = _servers(job)
            server.send_signal(signal.SIGKILL)
            told, _ = job.communicate(timeout=PATIENCE)
        finally:
            if job.poll() is None:
                job.kill()
    assert job.returncode == 0, told
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    assert [line["prediction"] for line in lines] == [150_000 + sample for sample in samples]
    assert not psutil.pid_exists(server.pid) or not server.is_running()
