from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from insula.errors import SpecError
from insula.spec import ApiSpec, ComputeSpec

Load = Callable[..., ApiSpec]


def compute(load: Load, section: dict[str, Any], kind: str = "python") -> ComputeSpec:
    keys = {"type": kind, "path": "a.py"} | ({"model_path": "m"} if kind == "onnx" else {})
    return load(yaml.safe_dump({"name": "a", "predictor": keys, "compute": section})).compute


def test_quantities(load: Load) -> None:
    assert compute(load, {}) == ComputeSpec()
    assert compute(load, {"cpu": "200m", "mem": 129e6}) == ComputeSpec(0.2, 129_000_000)


def test_nothing_is_selected_by_zero_or_null(load: Load) -> None:
    assert compute(load, {"gpu": 0, "inf": None, "unheard_of": 0}).targets == {}


def test_keys_of_one_target_go_together(load: Load) -> None:
    settings = compute(load, {"inf": 1, "neuron_cores": 2}).targets["inf"]
    assert (settings.inf, settings.neuron_cores) == (1, 2)


@pytest.mark.parametrize("kind, key", [("python", "gpu"), ("python", "inf"), ("onnx", "gpu"), ("onnx", "any")])
def test_pairs_that_one_side_lists(load: Load, kind: str, key: str) -> None:
    assert list(compute(load, {key: 1}, kind).targets) == [key]


@pytest.mark.parametrize(
    "kind, section, field, words",
    [
        (
            "onnx",
            {"inf": 1},
            "compute.inf",
            "onnx cannot run on hardware target inf: onnx runs on cpu, gpu; inf serves",
        ),
        ("flexible", {"gpu": 1}, "compute.gpu", "flexible cannot run on hardware target gpu"),
        ("python", {"gpu": 1, "neuron_cores": 1}, "compute", "not on gpu and inf at once"),
        ("python", {"gpu": "1"}, "compute.gpu", "an integer"),
        ("python", {"gpu": True}, "compute.gpu", "an integer, found true"),
        ("python", {"gpu": -1}, "compute.gpu", "must be >= 0"),
        ("python", {"cpus": 1}, "compute.cpus", "did you mean cpu?"),
        ("python", {"memory": "1Gi"}, "compute.memory", "did you mean mem?"),
        ("python", {"xyz": 1}, "compute.xyz", "no installed hardware target has it; known: cpu, mem"),
        ("python", {"broken": 1}, "compute.broken", "hardware target broken cannot be imported"),
        ("python", {"cpu": True}, "compute.cpu", "200m"),
        ("python", {"mem": "1GB"}, "compute.mem", "did you mean 1G?"),
    ],
)
def test_faults(load: Load, kind: str, section: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        compute(load, section, kind)
    (fault,) = raised.value.faults
    assert fault.field == field
    assert words in fault.message
    assert fault.line is not None
