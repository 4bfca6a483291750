from __future__ import annotations

import os
from pathlib import Path

import pytest

from insula.hardware.cores import available_cores, carried_workers, share
from insula.spec import ComputeSpec


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of eight cores, with no control group."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_affinity_decides(machine: Path) -> None:
    assert available_cores(machine) == 8


def test_a_machine_without_affinity(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert available_cores(machine) == 6


@pytest.mark.parametrize(
    ("quota", "cores"), [("150000 100000", 1.5), ("max 100000", 8), ("2000000 100000", 8), ("", 8)]
)
def test_the_quota_of_a_container(machine: Path, quota: str, cores: float) -> None:
    write(machine / "proc/self/cgroup", "0::/\n")
    write(machine / "sys/fs/cgroup/cpu.max", quota + "\n")
    assert available_cores(machine) == cores


def test_the_smallest_quota_of_all_groups_above(machine: Path) -> None:
    write(machine / "proc/self/cgroup", "1:name=systemd:/x\n0::/user.slice/job.scope\n")
    write(machine / "sys/fs/cgroup/user.slice/job.scope/cpu.max", "max 100000\n")
    write(machine / "sys/fs/cgroup/user.slice/cpu.max", "300000 100000\n")
    write(machine / "sys/fs/cgroup/cpu.max", "500000 100000\n")
    assert available_cores(machine) == 3


@pytest.mark.parametrize(("quota", "cores"), [("250000", 2.5), ("-1", 8)])
def test_the_first_version_of_control_groups(machine: Path, quota: str, cores: float) -> None:
    write(machine / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota + "\n")
    write(machine / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert available_cores(machine) == cores


@pytest.mark.parametrize(
    ("cpu", "cores", "workers"),
    [
        (None, 4, 4),
        (1.0, 4, 4),
        (2.0, 4, 2),
        (3.0, 4, 1),
        (8.0, 4, 1),
        (0.1, 0.3, 3),
        (0.2, 1, 5),
        (None, 0.5, 1),
    ],
)
def test_how_many_workers_the_cores_carry(cpu: float | None, cores: float, workers: int) -> None:
    assert carried_workers(ComputeSpec(cpu=cpu), cores) == workers


def test_a_workers_share() -> None:
    assert share(ComputeSpec(cpu=0.2), 3, 4) == 0.2
    assert share(ComputeSpec(), 8, 4) == 0.5
