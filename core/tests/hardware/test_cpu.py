from __future__ import annotations

import pytest

from insula.descriptors import Assignment
from insula.hardware.cpu import CpuTarget
from insula.hooks import Hooks
from insula.plugins import compose
from insula.spec import ComputeSpec


def target(cores: float) -> Hooks:
    return compose([("cpu", CpuTarget(cores=lambda: cores))])


@pytest.mark.parametrize(
    ("cpu", "cores", "asked", "workers", "each"),
    [
        (None, 4, None, 4, 1.0),
        (None, 4, 2, 2, 2.0),
        (None, 4, 8, 8, 0.5),
        (2.0, 4, None, 2, 2.0),
        (2.0, 4, 3, 3, 2.0),
        (16.0, 4, None, 1, 16.0),
        (None, 1.5, None, 1, 1.5),
    ],
)
def test_workers_and_their_share(cpu: float | None, cores: float, asked: int | None, workers: int, each: float) -> None:
    assert target(cores).assign_devices(ComputeSpec(cpu=cpu), asked) == [
        Assignment(number, cpu=each) for number in range(workers)
    ]


def test_what_an_engine_is_asked_for() -> None:
    assert target(4).resources(ComputeSpec(cpu=0.5)) == {"CPU": 0.5}
    assert target(4).resources(ComputeSpec()) == {"CPU": 1.0}
