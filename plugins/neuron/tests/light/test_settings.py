from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from insula.descriptors import HardwareTarget, PredictorType
from insula.documents import Document
from insula.errors import SpecError
from insula.loading import structure_api
from insula_neuron.plugin import NeuronPlugin
from insula_neuron.settings import NeuronSettings, Section

TARGET = NeuronPlugin().insula_hardware_target()
TYPES = {
    "python": PredictorType("python", "PythonPredictor", models="optional", hardware=("gpu",)),
    "onnx": PredictorType("onnx", "ONNXPredictor", hardware=("gpu",)),
    "tensorflow": PredictorType("tensorflow", "TensorFlowPredictor", hardware=("gpu",)),
}


def load(compute: dict[str, Any], kind: str = "python") -> Any:
    entry = {"name": "api", "predictor": {"type": kind, "path": "predictor.py"}, "compute": compute}
    document = Document("cortex.yaml", [json.loads(json.dumps(entry))])

    def find(key: str) -> HardwareTarget | None:
        return TARGET if key in TARGET.keys else None

    return structure_api(document, None, TYPES.__getitem__, find).compute.targets


@pytest.mark.parametrize(
    "compute, section",
    [
        ({"inf": 2}, Section(inf=2)),
        ({"neuron_cores": 3}, Section(neuron_cores=3)),
        ({"neuron_cores": 3, "inf": 0}, Section(neuron_cores=3)),
        ({"inf": 1, "neuron": {"batch_size": 4}}, Section(inf=1, neuron=NeuronSettings(batch_size=4))),
        (
            {"inf": 1, "neuron": {"batch_sizes": {"a": 4}, "data_parallel": True}},
            Section(inf=1, neuron=NeuronSettings(batch_sizes={"a": 4}, data_parallel=True)),
        ),
    ],
)
def test_what_may_be_written(compute: dict[str, Any], section: Section) -> None:
    assert load(compute) == {"inf": section}


def test_nothing_of_neuron_selects_no_target() -> None:
    assert load({"inf": 0, "cpu": 1}) == {}


@pytest.mark.parametrize(
    "compute, told",
    [
        ({"inf": 1, "neuron_cores": 2}, "give either inf .* or neuron_cores .*, not both"),
        ({"inf": -1}, "compute.inf: must be 0 or more a worker, not -1"),
        ({"inf": "1"}, "compute.inf: expected an integer"),
        ({"inf": 1, "neuron": {"batch_size": 0}}, "compute.neuron.batch_size: a batch has at least 1 row, not 0"),
        ({"inf": 1, "neuron": {"batch_sizes": {"a": 0}}}, "a batch has at least 1 row, not 0"),
        ({"inf": 1, "neuron": {"batch": 4}}, "compute.neuron.batch"),
        ({"inf": 1, "neuron": {"batch_size": 4, "dynamic_batch": True}}, "dynamic_batch has no batch size"),
    ],
)
def test_what_may_not(compute: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        load(compute)


def test_python_and_tensorflow_run_on_neuron_and_onnx_does_not() -> None:
    assert load({"inf": 1}, "python") == load({"inf": 1}, "tensorflow") == {"inf": Section(inf=1)}
    with pytest.raises(SpecError, match="onnx cannot run on hardware target inf"):
        load({"inf": 1}, "onnx")


def test_nothing_of_it_imports_a_framework(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, insula_neuron.plugin as p; p.plugin.insula_hardware_target(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "insula_neuron.settings" in loaded
    assert not {"numpy", "torch", "torch_neuron", "torch_neuronx"} & set(loaded)
