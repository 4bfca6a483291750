from __future__ import annotations

from collections.abc import Callable

from insula.descriptors import Assignment, WorkerContext
from insula_onnx.providers import CPU, CUDA, Providers, choose
from insula_onnx.settings import OnnxSettings

Make = Callable[..., WorkerContext]
TENSORRT = "TensorrtExecutionProvider"


def test_the_cpu_is_the_default(context: Make) -> None:
    assert choose(context()) == Providers((CPU,), ({},))


def test_gpu_means_cuda_and_what_the_user_names_first(context: Make) -> None:
    targets = {"gpu": object()}
    assert choose(context(targets=targets)).names == (CUDA, CPU)
    settings = OnnxSettings(providers=(TENSORRT, CUDA), provider_options={CUDA: {"device_id": 1}})
    assert choose(context(settings=settings, targets=targets)) == Providers(
        (TENSORRT, CUDA), ({}, {"device_id": 1}), True
    )


def test_a_hardware_target_may_bring_providers(context: Make) -> None:
    brought = {"onnx": {"providers": ["AcmeProvider"], "provider_options": {"AcmeProvider": {"cores": 2}}}}
    made = choose(context(assignment=Assignment(0, options=brought)))
    assert made == Providers(("AcmeProvider",), ({"cores": 2},))
    settings = OnnxSettings(providers=(CPU,))
    assert choose(context(settings=settings, assignment=Assignment(0, options=brought))).names == (CPU,)


def test_a_session_that_runs_without_its_first_provider_is_a_fault() -> None:
    asked = Providers((CUDA, CPU), ({}, {}), True)
    assert asked.not_started([CUDA, CPU]) is None
    fault = asked.not_started([CPU])
    assert fault is not None
    assert fault.startswith(f"{CUDA} was asked for, but its libraries (CUDA, cuDNN) or the driver could not be loaded")
    assert "onnxruntime-gpu" in fault
