"""How many cores this process may use, and what share of them a worker gets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from insula.spec import ComputeSpec


def available_cores(root: Path = Path("/")) -> float:
    """Return the cores that this process may use: its affinity, under the quotas of its control groups.

    Args:
        root: where `proc` and `sys` are.
    """
    return min([float(_affinity()), *_quotas(root)])


def carried_workers(compute: ComputeSpec, cores: float) -> int:
    """Return how many workers the cores carry, at least one; a worker without `compute.cpu` takes one core."""
    # 0.3 cores carry three workers of 0.1, which floating point would deny.
    return max(1, int(cores / (compute.cpu or 1.0) + 1e-9))


def share(compute: ComputeSpec, workers: int, cores: float) -> float:
    """Return one worker's share: `compute.cpu`, or its part of all cores."""
    return compute.cpu or cores / workers


def _affinity() -> int:
    # macOS has no affinity.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    for text in _quota_texts(root):
        quota, _, period = text.partition(" ")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)


def _quota_texts(root: Path) -> Iterator[str]:
    # Every group above ours limits us as well; in a container, ours is the top one that is to be seen.
    top = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        if line.startswith("0::/"):
            group = top / line[len("0::/") :]
            yield from (_read(one / "cpu.max") for one in (group, *group.parents) if one.is_relative_to(top))
    # The first version of control groups, where containers see their own group here.
    yield f"{_read(top / 'cpu/cpu.cfs_quota_us')} {_read(top / 'cpu/cpu.cfs_period_us')}"


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
