"""Basic-pitch's network, a SavedModel of an old Keras, in every way in which one can run: the same notes, and ONNX's."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

PLAYED = {69: 440.0, 60: 261.63, 40: 82.41}  # Hz, by MIDI number
LOWEST = 21
# Answers with what the network hears, reduced to what JSON holds well.
PREDICTOR = """
import sys

class TensorFlowPredictor:
    def __init__(self, tensorflow_client):
        self.client = tensorflow_client

    def predict(self, payload):
        from sines import sines
        heard = self.client.predict({"input_2": sines(payload)})
        return [
            {"framework": "tensorflow" in sys.modules, **{name: one[row] for name, one in heard.items()}}
            for row in range(len(payload))
        ]
"""
SINES = """
import numpy as np

def sines(frequencies):
    seconds = np.arange(43844) / 22050
    return np.stack([0.5 * np.sin(2 * np.pi * one * seconds) for one in frequencies]).astype(np.float32)[:, :, None]
"""


@pytest.fixture(scope="module")
def models() -> Path:
    found = importlib.util.find_spec("basic_pitch")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "saved_models" / "icassp_2022"


@pytest.fixture(scope="module")
def expected(models: Path) -> dict[str, Any]:
    """What ONNX Runtime makes of the same network, by the names of the SavedModel's outputs."""
    scope: dict[str, Any] = {}
    exec(SINES, scope)
    session = onnxruntime.InferenceSession(models / "nmp.onnx", providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: scope["sines"](PLAYED.values())}
    names = [f"StatefulPartitionedCall:{number}" for number in range(3)]
    return dict(zip(("contour", "note", "onset"), session.run(names, given), strict=True))


@pytest.fixture(scope="module")
def address(models: Path) -> Iterator[str]:
    """The address of a server that a user started."""
    command = [sys.executable, "-m", "insula", "tensorflow", "serve", models / "nmp", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            yield _told(server)
        finally:
            server.terminate()
            code = server.wait(60)
    assert code == 0


def _told(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    lines = []
    for line in server.stdout:  # ends with the server, if that fails
        lines.append(line)
        if found := re.fullmatch(r"Serving nmp at (\S+)\.", line.strip()):
            return found[1]
    raise AssertionError("".join(lines))


@pytest.mark.parametrize("way", ["in process", "server of the job", "server elsewhere"])
def test_the_notes_are_those_that_are_played(
    tmp_path: Path, models: Path, expected: dict[str, Any], way: str, request: pytest.FixtureRequest
) -> None:
    section: dict[str, Any] = {"type": "tensorflow", "path": "predictor.py"}
    if way == "server elsewhere":
        section["tensorflow_serving"] = {"address": request.getfixturevalue("address"), "models": ["nmp"]}
    else:
        section["model_path"] = str(models / "nmp")
    if way == "server of the job":
        section["tensorflow_serving"] = {"embedded": True}
    heard = _run(tmp_path, section)
    assert {one.pop("framework") for one in heard} == {way == "in process"}
    for name, wanted in expected.items():
        found = np.array([one[name] for one in heard])
        assert found.shape == wanted.shape
        # Twice this is what any two ways may differ by.
        assert np.abs(found - wanted).max() < 5e-6
    notes = [LOWEST + int(np.array(one["note"]).mean(axis=0).argmax()) for one in heard]
    assert notes == list(PLAYED)


def _run(folder: Path, section: dict[str, Any]) -> list[dict[str, Any]]:
    project = folder / "project"
    project.mkdir()
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "sines.py").write_text(SINES)
    (project / "cortex.yaml").write_text(json.dumps({"name": "pitch", "predictor": section}))
    items = {"item_list": {"items": list(PLAYED.values()), "batch_size": 2}}
    (project / "job.json").write_text(json.dumps({"workers": 1, **items}))
    command = [sys.executable, "-m", "insula", "run", project, "--output", folder / "out", "--quiet"]
    environment = {**os.environ, "INSULA_HOME": str(folder / "home")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line)["prediction"] for line in (folder / "out" / "predictions.jsonl").read_text().splitlines()]
