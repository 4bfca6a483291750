"""Contexts of workers and of services, and a home of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from insula.descriptors import Assignment, ServicesContext, WorkerContext
from insula.spec import ApiSpec, ComputeSpec, ModelSpec, PredictorSpec
from insula.spec.api import ModelsSpec
from insula_tensorflow.settings import Section


def api(models: tuple[ModelSpec, ...], section: Section | None, targets: Mapping[str, Any] | None) -> ApiSpec:
    predictor = PredictorSpec("tensorflow", "predictor.py", models=ModelsSpec(models), settings=section or Section())
    return ApiSpec("api", predictor, ComputeSpec(targets=targets or {}))


def specs(models: Mapping[str, Path | str] | None, keys: Mapping[str, str] | None = None) -> tuple[ModelSpec, ...]:
    return tuple(ModelSpec(name, str(path), (keys or {}).get(name)) for name, path in (models or {}).items())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSULA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., WorkerContext]:
    """Make the context of a worker with models by name and path."""

    def make(
        models: Mapping[str, Path | str] | None = None,
        section: Section | None = None,
        keys: Mapping[str, str] | None = None,
        worker: int = 0,
        targets: Mapping[str, Any] | None = None,
        services: Mapping[str, str] | None = None,
        startup_timeout: float | None = None,
    ) -> WorkerContext:
        listed = specs(models, keys)
        return WorkerContext(
            api=api(listed, section, targets),
            config={},
            job_spec={"workers": 1, "startup_timeout": startup_timeout},
            project=tmp_path,
            assignment=Assignment(worker),
            services=services or {},
            models=listed,
            worker=f"worker-{worker}",
        )

    return make


@pytest.fixture
def services_context(tmp_path: Path) -> Callable[..., ServicesContext]:
    """Make the context of the services of a job with models by name and path."""

    def make(
        models: Mapping[str, Path | str] | None = None,
        section: Section | None = None,
        targets: Mapping[str, Any] | None = None,
    ) -> ServicesContext:
        listed = specs(models)
        return ServicesContext(
            api=api(listed, section, targets), config={}, project=tmp_path, workers=2, cores=3, models=listed
        )

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder that looks like a SavedModel from outside."""

    def make(name: str, content: bytes = b"\x08\x01") -> Path:
        path = tmp_path / name
        path.mkdir(parents=True)
        (path / "saved_model.pb").write_bytes(content)
        return path

    return make
