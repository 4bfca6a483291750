"""Models of a worker, loaded while the worker checks itself, so that what is wrong with one is said before any batch."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import onnxruntime

from insula.descriptors import WorkerContext
from insula.jobs.store import home
from insula.spec import ModelSpec
from insula_onnx import model_file, sharing
from insula_onnx.model import SINGLE, OnnxModel
from insula_onnx.model_file import ModelFault, ModelFile
from insula_onnx.providers import Providers, choose
from insula_onnx.sessions import make_options, open_session


def load_all(context: WorkerContext) -> tuple[dict[str, OnnxModel], list[str]]:
    """Load every model; return them by name, and the faults of the others."""
    providers = choose(context)
    if providers.gpu and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls(directory="")
    faults = providers.missing(onnxruntime.get_available_providers())
    if faults:
        return {}, faults
    models: dict[str, OnnxModel] = {}
    for spec in context.models:
        try:
            models[spec.name] = _load(context, spec, providers)
        except ModelFault as fault:
            called = "the model" if spec.name == SINGLE else f"model {spec.name}"
            faults.append(f"{called} ({spec.path}): {fault}")
    _give_memory_back()
    return models, faults


def _load(context: WorkerContext, spec: ModelSpec, providers: Providers) -> OnnxModel:
    found = model_file.inspect(model_file.find(Path(context.project, spec.path)))
    session = _open(context, found, providers)
    model = OnnxModel(spec.name, session, found.scalars or frozenset())
    if model.unholdable:
        held = ", ".join(model.unholdable)
        raise ModelFault(f"numpy has no dtype for {held}; put a Cast to float32 there")
    return model


def _open(context: WorkerContext, found: ModelFile, providers: Providers) -> Any:
    options = make_options(context)
    if not sharing.wanted(context, found, providers):
        return open_session(found.path, options, providers)
    cache = home() / "models" / "prepared"
    path = sharing.prepared(found, context.api.predictor.settings.onnx.graph_optimization, cache)
    if path is None:
        return open_session(found.path, options, providers)
    # It is optimised already; doing so again would lay the weights out in memory of this process.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return open_session(path, options, providers)


def _give_memory_back() -> None:
    """Return to the system what loading needed for a moment: glibc would keep up to the size of the model."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
