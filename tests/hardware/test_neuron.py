"""`insula-neuron` beside the other plugins: which pairs there are, and its variables where no library of AWS's is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[2] / "plugins" / "neuron" / "src" / "insula_neuron"
STATED = {"INSULA_NEURON_CHIPS": "1", "INSULA_NEURON_CORES_PER_CHIP": "4"}
VISIBLE = "NEURON_RT_VISIBLE_CORES"


@pytest.fixture
def neuron(bench: Any) -> Any:
    keys = ("inf", "neuron_cores", "neuron")
    lines = "".join(f"{key} = insula_neuron.plugin:plugin\n" for key in keys)
    bench.offer("insula-neuron", f"[insula.hardware]\n{lines}", PACKAGE)
    return bench


def test_a_python_predictor_gets_the_environment(neuron: Any) -> None:
    neuron.write({"neuron_cores": 2}, VISIBLE, "NEURONCORE_GROUP_SIZES", workers=2)
    neuron.run(**STATED, NEURONCORE_GROUP_SIZES="1,1")
    found = {(one[VISIBLE], one["NEURONCORE_GROUP_SIZES"]) for one in neuron.predictions()}
    assert found == {("0-1", None), ("2-3", None)}


@pytest.mark.parametrize("key", ["inf", "neuron_cores"])
def test_onnx_is_refused_as_neither_side_claims_the_pair(neuron: Any, key: str) -> None:
    neuron.write({key: 1})
    predictor = {"type": "onnx", "path": "predictor.py", "model_path": "model.onnx"}
    entry = [{"name": "api", "predictor": predictor, "compute": {key: 1}}]
    (neuron.project / "cortex.yaml").write_text(json.dumps(entry))
    said = neuron.run(code=2, **STATED)
    assert "predictor type onnx cannot run on hardware target inf: onnx runs on cpu, gpu; inf serves" in said
