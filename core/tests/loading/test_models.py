from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from insula.errors import SpecError
from insula.spec import ApiSpec
from insula.spec.api import ModelSpec, ModelsSpec

Load = Callable[..., ApiSpec]
NAMED = {"name": "b", "path": "y", "signature_key": "t"}


def load_with(load: Load, kind: str, keys: dict[str, Any]) -> ApiSpec:
    return load(yaml.safe_dump({"name": "a", "predictor": {"type": kind, "path": "a.py", **keys}}))


def single(path: str, key: str | None = None) -> ModelsSpec:
    return ModelsSpec((ModelSpec("_cortex_default", path, key),), None, key)


@pytest.mark.parametrize(
    "keys, models",
    [
        ({"model_path": "m"}, single("m")),
        ({"model_path": "m", "signature_key": "s"}, single("m", "s")),
        ({"models": {"path": "m"}}, single("m")),
        ({"models": {"path": "m", "signature_key": "s"}}, single("m", "s")),
        ({"models": {"path": "m", "cache_size": 3}}, single("m")),
        ({"models": {"dir": "d"}}, ModelsSpec((), "d")),
        ({"models": {"dir": "d", "signature_key": "s"}}, ModelsSpec((), "d", "s")),
        (
            {"models": [{"name": "a", "model_path": "x"}, NAMED]},
            ModelsSpec((ModelSpec("a", "x"), ModelSpec("b", "y", "t"))),
        ),
        (
            {"models": {"paths": [{"name": "a", "path": "x"}, NAMED], "signature_key": "s"}},
            ModelsSpec((ModelSpec("a", "x", "s"), ModelSpec("b", "y", "t")), None, "s"),
        ),
        ({"models": [{"name": "a", "path": "x"}], "signature_key": "s"}, ModelsSpec((ModelSpec("a", "x", "s"),), None, "s")),
    ],
)  # fmt: skip
def test_shapes(load: Load, keys: dict[str, Any], models: ModelsSpec) -> None:
    assert load_with(load, "onnx", keys).predictor.models == models


def test_fields_of_a_cluster(load: Load) -> None:
    api = load_with(load, "onnx", {"models": {"path": "m", "cache_size": 3, "disk_cache_size": 4}})
    assert api.ignored == ("predictor.models.cache_size", "predictor.models.disk_cache_size")


@pytest.mark.parametrize(
    "kind, keys, field, words",
    [
        ("onnx", {}, "predictor.models", "needs a model_path, or models"),
        ("onnx", {"models": []}, "predictor.models", "needs a model_path, or models"),
        ("onnx", {"models": {"paths": []}}, "predictor.models", "needs a model_path, or models"),
        ("onnx", {"signature_key": "s"}, "predictor.models", "needs a model_path, or models"),
        ("python", {"model_path": "m"}, "predictor.model_path", "takes no models"),
        ("python", {"models": {"path": "m"}}, "predictor.models", "takes no models"),
        (
            "onnx",
            {"model_path": "m", "models": {"path": "m"}},
            "predictor.models",
            "either model_path or models",
        ),
        ("onnx", {"model_path": 3}, "predictor.model_path", "a string"),
        ("onnx", {"model_path": " "}, "predictor.model_path", "must not be empty"),
        ("onnx", {"models": "m"}, "predictor.models", "a list"),
        ("onnx", {"models": {}}, "predictor.models", "exactly one of path, paths and dir"),
        (
            "onnx",
            {"models": {"path": "a", "dir": "b"}},
            "predictor.models",
            "exactly one of path, paths and dir",
        ),
        ("onnx", {"models": {"pth": "a"}}, "predictor.models.pth", "did you mean path?"),
        ("onnx", {"models": [{"name": "a"}]}, "predictor.models[0]", "the model's path"),
        ("onnx", {"models": [{"path": "a"}]}, "predictor.models[0].name", "missing"),
        (
            "onnx",
            {"models": [{"name": "a", "path": "a", "model_path": "b"}]},
            "predictor.models[0]",
            "not both",
        ),
        (
            "onnx",
            {"models": [{"name": "a", "path": "a"}] * 2},
            "predictor.models[1].name",
            "second model named a",
        ),
        (
            "onnx",
            {"models": {"paths": [{"name": "a", "path": "a"}] * 2}},
            "predictor.models.paths[1].name",
            "second",
        ),
    ],
)
def test_faults(load: Load, kind: str, keys: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        load_with(load, kind, keys)
    (fault,) = raised.value.faults
    assert fault.field == field
    assert words in fault.message


def test_optional_models(load: Load) -> None:
    assert not load_with(load, "flexible", {}).predictor.models
    assert load_with(load, "flexible", {"model_path": "m"}).predictor.models == single("m")
