"""Plugins as the loading of specs sees them: descriptors alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from insula.descriptors import HardwareTarget, PredictorType, Source
from insula.errors import PluginError
from insula.loading import load_api
from insula.spec import ApiSpec


@attrs.frozen
class OnnxSettings:
    providers: tuple[str, ...] = ()
    threads: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.frozen
class GpuSettings:
    gpu: int = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen
class NeuronSettings:
    inf: int = 0
    neuron_cores: int = 0


@attrs.frozen
class LinesSettings:
    paths: tuple[str, ...]
    batch_size: int = attrs.field(validator=attrs.validators.ge(1))


@attrs.frozen
class ItemsSettings:
    items: list[object]
    batch_size: int = 1


PREDICTORS = {
    "python": PredictorType("python", "PythonPredictor", hardware=("gpu",)),
    "onnx": PredictorType("onnx", "ONNXPredictor", ("onnx_client",), OnnxSettings, "required", ("gpu",)),
    "flexible": PredictorType("flexible", "FlexiblePredictor", models="optional"),
    "ready": PredictorType("ready", None),
}
NEURON = HardwareTarget("inf", ("inf", "neuron_cores"), NeuronSettings, ("python",))
HARDWARE = {
    "gpu": HardwareTarget("gpu", ("gpu",), GpuSettings),
    "inf": NEURON,
    "neuron_cores": NEURON,
    "any": HardwareTarget("any", ("any",), attrs.make_class("Any_", {"any": attrs.field(default=0)}), ("*",)),
}
SOURCES = {
    "delimited_files": Source("delimited_files", LinesSettings),
    "item_list": Source("item_list", ItemsSettings, inline=True),
}


def find_predictor(word: str) -> PredictorType:
    if word not in PREDICTORS:
        raise PluginError(f'predictor.type: there is no predictor type "{word}"')
    return PREDICTORS[word]


def find_hardware(key: str) -> HardwareTarget | None:
    if key == "broken":
        raise PluginError("compute: hardware target broken cannot be imported")
    return HARDWARE.get(key)


def find_source(key: str) -> Source:
    if key not in SOURCES:
        raise PluginError(f'job submission: there is no source "{key}"')
    return SOURCES[key]


Load = Callable[..., ApiSpec]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load an API from the text of a cortex.yaml."""

    def load(text: str, name: str | None = None) -> ApiSpec:
        (tmp_path / "cortex.yaml").write_text(text)
        return load_api(tmp_path, name, find_predictor, find_hardware)

    return load


@pytest.fixture
def sources() -> Callable[[str], Source]:
    """What finds the source for a key."""
    return find_source
