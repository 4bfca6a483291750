"""Execution providers: which ones a worker runs on, and what is missing where they are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from insula.descriptors import WorkerContext

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
GPU = (CUDA, "TensorrtExecutionProvider", "NvTensorRTRTXExecutionProvider")
_PACKAGES = {
    **dict.fromkeys(GPU, "onnxruntime-gpu[cuda,cudnn]"),
    "CoreMLExecutionProvider": "onnxruntime (on macOS)",
    "DmlExecutionProvider": "onnxruntime-directml",
    "MIGraphXExecutionProvider": "onnxruntime-migraphx",
    "OpenVINOExecutionProvider": "onnxruntime-openvino",
    "QNNExecutionProvider": "onnxruntime-qnn",
    "ROCMExecutionProvider": "onnxruntime-rocm",
}


@attrs.frozen
class Providers:
    """Execution providers, the preferred one first, with the options of each."""

    names: tuple[str, ...]
    options: tuple[Mapping[str, Any], ...]
    gpu: bool = False

    def missing(self, available: Sequence[str]) -> list[str]:
        """Return a fault for each provider that this ONNX Runtime was built without."""
        faults = [_missing(name, available) for name in self.names if name not in available]
        if self.gpu and not set(self.names) & set(GPU):
            named = ", ".join(self.names)
            faults.append(f"compute.gpu asks for a GPU, and predictor.onnx.providers names none that uses it: {named}")
        return faults

    def not_started(self, running: Sequence[str]) -> str | None:
        """Return the fault of a session that runs without its preferred provider, which ONNX Runtime only logs."""
        first = self.names[0]
        if first in running:
            return None
        cause = "its libraries (CUDA, cuDNN) or the driver could not be loaded" if first in GPU else "it did not start"
        return f"{first} was asked for, but {cause}; ONNX Runtime's reason is in the worker's log{_install(first)}"


def choose(context: WorkerContext) -> Providers:
    """Return the providers of a worker: the user's, else those of its hardware target, else CUDA for `gpu`, else the CPU."""
    settings = context.api.predictor.settings.onnx
    target = context.assignment.options.get("onnx") or {}
    gpu = "gpu" in context.api.compute.targets
    names = settings.providers or tuple(target.get("providers", ())) or ((CUDA, CPU) if gpu else (CPU,))
    given = {**target.get("provider_options", {}), **settings.provider_options}
    return Providers(tuple(names), tuple(dict(given.get(name, {})) for name in names), gpu)


def _missing(name: str, available: Sequence[str]) -> str:
    return f"ONNX Runtime has no {name} here (it has {', '.join(available)}){_install(name)}"


def _install(name: str) -> str:
    package = _PACKAGES.get(name)
    if package is None:
        return ""
    return f"; pip uninstall onnxruntime, then pip install '{package}'"
