"""Models in files, clients of them, and contexts of workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest

from insula.descriptors import Assignment, WorkerContext
from insula.spec import ApiSpec, ComputeSpec, ModelSpec, PredictorSpec
from insula.spec.api import ModelsSpec
from insula_onnx.client import ONNXClient
from insula_onnx.model import SINGLE, OnnxModel
from insula_onnx.model_file import inspect
from insula_onnx.settings import OnnxSettings, Section

MakeModel = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> MakeModel:
    def make(made: onnx.ModelProto, name: str = "model.onnx") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.SerializeToString())
        return path

    return make


@pytest.fixture
def client(write: MakeModel) -> Callable[..., ONNXClient]:
    """Make a client of models by name; of one without a name."""

    def make(*single: onnx.ModelProto, **named: onnx.ModelProto) -> ONNXClient:
        models = {**dict.fromkeys((SINGLE,), single[0]), **named} if single else named
        return ONNXClient([_loaded(name, write(made, f"{name}.onnx")) for name, made in models.items()])

    return make


def _loaded(name: str, path: Path) -> OnnxModel:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return OnnxModel(name, session, inspect(path).scalars or frozenset())


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., WorkerContext]:
    """Make the context of a worker with models by name and path."""

    def make(
        models: Mapping[str, Path | str] | None = None,
        settings: OnnxSettings | None = None,
        assignment: Assignment | None = None,
        workers: int = 1,
        targets: Mapping[str, Any] | None = None,
    ) -> WorkerContext:
        listed = tuple(ModelSpec(name, str(path)) for name, path in (models or {}).items())
        section = Section(settings or OnnxSettings())
        predictor = PredictorSpec("onnx", "predictor.py", models=ModelsSpec(listed), settings=section)
        return WorkerContext(
            api=ApiSpec("api", predictor, ComputeSpec(targets=targets or {})),
            config={},
            job_spec={"workers": workers},
            project=tmp_path,
            assignment=assignment or Assignment(0),
            models=listed,
            worker="worker-0",
        )

    return make
