from __future__ import annotations

import pytest

from insula.descriptors import Assignment
from insula.errors import PluginError, UserError
from insula.hardware.gpu import GpuSettings, GpuTarget
from insula.hooks import Hooks
from insula.plugins import compose
from insula.spec import ComputeSpec


def target(*gpus: str, cores: float = 8) -> Hooks:
    return compose([("gpu", GpuTarget(gpus=lambda: gpus, cores=lambda: cores, in_use=lambda devices: {}))])


def compute(gpu: int, cpu: float | None = None) -> ComputeSpec:
    return ComputeSpec(cpu=cpu, targets={"gpu": GpuSettings(gpu)})


def test_each_worker_has_gpus_of_its_own() -> None:
    assert target("2", "3", "5", "GPU-8932").assign_devices(compute(2), 2) == [
        Assignment(0, environment={"CUDA_VISIBLE_DEVICES": "2,3"}, devices=("cuda:2", "cuda:3"), cpu=4),
        Assignment(1, environment={"CUDA_VISIBLE_DEVICES": "5,GPU-8932"}, devices=("cuda:5", "cuda:GPU-8932"), cpu=4),
    ]


@pytest.mark.parametrize(
    ("gpus", "each", "cpu", "workers"),
    [(4, 1, None, 4), (5, 2, None, 2), (4, 1, 4.0, 2), (4, 1, 1.0, 4), (4, 1, 99, 1)],
)
def test_as_many_workers_as_the_gpus_and_cores_carry(gpus: int, each: int, cpu: float | None, workers: int) -> None:
    assignments = target(*map(str, range(gpus))).assign_devices(compute(each, cpu), None)
    assert [assignment.worker for assignment in assignments] == list(range(workers))
    given = [device for assignment in assignments for device in assignment.devices]
    assert len(given) == len(set(given)) == workers * each


@pytest.mark.parametrize(
    ("gpus", "each", "workers", "message"),
    [
        (
            4,
            2,
            3,
            "compute.gpu: 3 workers of 2 GPUs each need 6, and this process sees 4: 2 workers would fit",
        ),
        (
            3,
            2,
            2,
            "compute.gpu: 2 workers of 2 GPUs each need 4, and this process sees 3: 1 worker would fit",
        ),
        (
            2,
            4,
            None,
            "compute.gpu: 1 worker of 4 GPUs each need 4, and this process sees 2: 0 workers would fit",
        ),
        (1, 1, 2, "compute.gpu: 2 workers of 1 GPU each need 2, and this process sees 1: 1 worker would fit"),
        (
            0,
            1,
            1,
            "compute.gpu: 1 a worker, but this process sees no GPU (CUDA_VISIBLE_DEVICES, nvidia-smi, /dev)",
        ),
    ],
)
def test_more_than_there_are(gpus: int, each: int, workers: int | None, message: str) -> None:
    with pytest.raises(UserError) as error:
        target(*map(str, range(gpus))).assign_devices(compute(each), workers)
    assert str(error.value) == message


def sharing(workers: int | None) -> list[str]:
    """What is assigned of four GPUs, two of which another job has."""
    used = {"cuda:0": "job j (process 7)", "cuda:2": "job j (process 7)"}
    shared = GpuTarget(gpus=lambda: "0123", cores=lambda: 8, in_use=lambda devices: used)
    assignments = compose([("gpu", shared)]).assign_devices(compute(1), workers)
    return [str(assignment.environment["CUDA_VISIBLE_DEVICES"]) for assignment in assignments]


def test_gpus_of_other_jobs_are_left_to_them() -> None:
    assert sharing(None) == sharing(2) == ["1", "3"]
    told = (
        "3 workers of 1 GPU each need 3, and 2 of those this process sees are free: 2 workers would fit; device cuda:0"
    )
    with pytest.raises(UserError, match=told):
        sharing(3)


def test_what_an_engine_is_asked_for_without_looking_for_devices() -> None:
    assert target().resources(compute(2)) == {"GPU": 2, "CPU": 1.0}
    assert target().resources(compute(1, cpu=3.0)) == {"GPU": 1, "CPU": 3.0}


def test_a_target_that_is_not_selected_answers_nothing() -> None:
    with pytest.raises(PluginError, match="no plugin answered insula_assign_devices"):
        target("0").assign_devices(ComputeSpec(), 1)
    assert target("0").resources(ComputeSpec()) == {}


def test_a_negative_number_of_gpus() -> None:
    with pytest.raises(ValueError, match="must be 0 or more GPUs a worker, not -1"):
        GpuSettings(-1)
