"""Sessions of ONNX Runtime, set up for a worker's share of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from insula.descriptors import WorkerContext
from insula.hardware.cores import available_cores
from insula_onnx.model_file import ModelFault
from insula_onnx.providers import Providers
from insula_onnx.settings import OnnxSettings

LEVELS = {
    "none": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}


def make_options(context: WorkerContext, cores: float | None = None) -> onnxruntime.SessionOptions:
    """Return the session options of a worker.

    Args:
        cores: of the machine; None looks.
    """
    settings: OnnxSettings = context.api.predictor.settings.onnx
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads or max(1, int(context.assignment.cpu))
    options.inter_op_num_threads = settings.inter_op_threads or 1
    if options.inter_op_num_threads > 1:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[settings.graph_optimization])
    options.enable_cpu_mem_arena = settings.memory_arena
    threads = options.intra_op_num_threads * options.inter_op_num_threads * context.job_spec.get("workers", 1)
    spinning = settings.spinning
    if spinning is None:
        spinning = threads <= (available_cores() if cores is None else cores)
    for pool in ("intra", "inter"):
        options.add_session_config_entry(f"session.{pool}_op.allow_spinning", str(int(spinning)))
    return options


def open_session(path: Path, options: onnxruntime.SessionOptions, providers: Providers) -> Any:
    """Load a model.

    Raises:
        ModelFault: if ONNX Runtime refuses it, or runs it without the provider that was asked for.
    """
    try:
        session = onnxruntime.InferenceSession(
            path, options, providers=list(providers.names), provider_options=[dict(one) for one in providers.options]
        )
    except Exception as error:  # its errors have no base class of their own
        raise ModelFault(_reason(error)) from error
    # Otherwise a failure of the provider in the middle of a job would silently go on with another one.
    session.disable_fallback()
    fault = providers.not_started(session.get_providers())
    if fault is not None:
        raise ModelFault(fault)
    return session


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    release = f"ONNX Runtime {onnxruntime.__version__}"
    if "opset" in text.lower() and "official support" in text:
        return f"{release} does not know the opset that it asks for: {_tail(text)}"
    if "Unsupported model IR version" in text:
        return f"it is of a newer ONNX than {release} reads: {_tail(text)}"
    return f"{release} cannot load it: {_tail(text)}"


def _tail(text: str) -> str:
    """Return an error of ONNX Runtime without its code and the place in its source."""
    for mark in ("ONNX Runtime only", "Unsupported model"):
        if mark in text:
            return text[text.index(mark) :]
    head, _, tail = text.partition(" : ")
    return text.rpartition(" : ")[2] if head.startswith("[ONNXRuntimeError]") and tail else text
