"""Silero's detector of speech: three inputs, one a scalar, dimensions without names, a state that the predictor carries."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime

SAMPLES, BEFORE, RATE = 512, 64, 16000
PREDICTOR = """
import numpy as np

class ONNXPredictor:
    def __init__(self, onnx_client):
        self.client = onnx_client

    def predict(self, payload):
        return [self.listen(sound) for sound in payload]

    def listen(self, sound):
        state, before, heard = np.zeros((2, 1, 128), np.float32), [0.0] * 64, []
        for start in range(0, len(sound), 512):
            chunk = before + sound[start : start + 512]
            answer, state = self.client.predict({"input": [chunk], "state": state, "sr": 16000})
            heard.append(float(answer[0, 0]))
            before = chunk[-64:]
        return heard
"""


def _model() -> Path:
    found = importlib.util.find_spec("silero_vad")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "data" / "silero_vad.onnx"


def _sounds() -> list[list[float]]:
    """Return hum with a trembling voice of formants in its middle, at different pitches."""
    time = np.arange(SAMPLES * 40) / RATE
    noise = np.random.default_rng(0).normal(0, 0.003, len(time))
    loud = np.where((time > 0.4) & (time < 0.9), 1 + 0.5 * np.sin(2 * np.pi * 5 * time), 0)
    sounds = []
    for pitch in (110, 160, 220):
        phase = 2 * np.pi * pitch * (time + 0.002 * np.sin(2 * np.pi * 6 * time))
        voice = sum(np.sin(phase * n) * np.exp(-(((pitch * n - 700) / 500) ** 2)) for n in range(1, 20))
        sounds.append(np.round(noise + 0.2 * loud * voice, 5).tolist())
    return sounds


def _bare(sound: list[float], carried: bool = True) -> list[float]:
    """Listen without insula; with or without what was heard before."""
    session = onnxruntime.InferenceSession(_model(), providers=["CPUExecutionProvider"])
    state, before, heard = np.zeros((2, 1, 128), np.float32), np.zeros(BEFORE, np.float32), []
    for chunk in np.asarray(sound, np.float32).reshape(-1, SAMPLES):
        given = np.concatenate([before, chunk])[None]
        answer, next_state = session.run(None, {"input": given, "state": state, "sr": np.array(RATE, np.int64)})
        heard.append(float(answer[0, 0]))
        if carried:
            before, state = chunk[-BEFORE:], next_state
    return heard


def test_it_hears_what_a_bare_session_hears(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "predictor.py").write_text(PREDICTOR)
    predictor = {"type": "onnx", "path": "predictor.py", "model_path": str(_model())}
    (project / "cortex.yaml").write_text(json.dumps([{"name": "speech", "predictor": predictor}]))
    sounds = _sounds()
    (project / "job.json").write_text(json.dumps({"workers": 2, "item_list": {"items": sounds, "batch_size": 1}}))
    environment = {**os.environ, "INSULA_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "insula", "run", project, "--output", tmp_path / "out", "--quiet"]
    subprocess.run(command, env=environment, check=True)
    lines = (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()
    found = [json.loads(line)["prediction"] for line in lines]
    expected = [_bare(sound) for sound in sounds]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert not np.allclose(expected, [_bare(sound, carried=False) for sound in sounds], rtol=1e-2)
