"""A real TorchScript model through the client, on the CPU: what is compiled differs, the path does not."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from insula_neuron.archive import inspect
from insula_neuron.client import NeuronClient
from insula_neuron.loading import open_model
from insula_neuron.model import NeuronModel

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:DeprecationWarning")

RATE, SAMPLES, COMPILED = 16000, 512, 4


def path() -> Path:
    found = importlib.util.find_spec("silero_vad")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "data" / "silero_vad.jit"


def sounds(count: int) -> np.ndarray[Any, Any]:
    """Return voices of different pitch, some of them silent: float32 of shape [count, 512]."""
    time = np.arange(SAMPLES) / RATE
    pitches = 90 + 17 * np.arange(count)[:, None]
    voices = sum(np.sin(2 * np.pi * pitches * time * n) / n for n in range(1, 12))
    return (voices * (np.arange(count) % 3 > 0)[:, None] * 0.3).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> NeuronModel:
    found = inspect(path())
    assert not found.compiled
    return open_model("speech", found)


def bare(sound: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Run it without insula, from a fresh state."""
    loaded = torch.jit.load(path())
    with torch.no_grad():
        answer: np.ndarray[Any, Any] = loaded(torch.from_numpy(sound), RATE).numpy()
    return answer


def test_it_answers_as_the_bare_model(model: NeuronModel) -> None:
    assert model.arguments == ("x", "sr")
    model.call.reset_states()
    found = NeuronClient([model]).predict({"x": sounds(6), "sr": RATE})
    np.testing.assert_array_equal(found, bare(sounds(6)))
    assert found.shape == (6, 1)


@pytest.mark.parametrize("count", range(1, 3 * COMPILED + 1))
def test_padded_and_split_it_answers_the_same_row_by_row(model: NeuronModel, count: int) -> None:
    given = sounds(count)
    expected = [bare(given[start : start + COMPILED]) for start in range(0, count, COMPILED)]

    def fresh(x: torch.Tensor, rate: int) -> Any:
        assert len(x) == COMPILED
        model.call.reset_states()
        return model.call(x, rate)

    found = NeuronClient([NeuronModel("speech", fresh, model.arguments, COMPILED)]).predict((given, RATE))
    # The number of rows of a batch changes the last digits.
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-4, atol=1e-6)
    assert count < 3 or found.std() > 1e-4, "the rows differ, so that an exchange would be seen"


CODE = """
from pathlib import Path
from insula_neuron.archive import inspect
from insula_neuron.client import NeuronClient
from insula_neuron.loading import open_model

class PythonPredictor:
    def __init__(self, config):
        model = open_model("speech", inspect(Path(config["model"])))
        self.reset, self.client = model.call.reset_states, NeuronClient([model])

    def predict(self, payload):
        self.reset()
        return self.client.predict((payload, 16000))
"""


def test_a_job_on_the_cpu(project: Callable[..., Any]) -> None:
    made = project(0)
    predictor = {"type": "python", "path": "predictor.py", "config": {"model": str(path())}}
    source = {"item_list": {"items": sounds(10).tolist(), "batch_size": 5}}
    made.write({"predictor": predictor, "compute": {"cpu": 1}}, {"workers": 1, **source}, CODE)
    made.run()
    expected = np.concatenate([bare(sounds(10)[:5]), bare(sounds(10)[5:])])
    np.testing.assert_allclose(made.predictions(), expected, rtol=1e-4, atol=1e-6)
    summary = json.loads((made.root / "out" / "summary.json").read_text())
    assert (summary["status"], summary["batches"]) == ("succeeded", 2)
