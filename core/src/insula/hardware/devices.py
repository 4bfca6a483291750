"""Which GPUs this process may use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "CUDA_VISIBLE_DEVICES"
SECONDS = 30


def visible_gpus(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> tuple[str, ...]:
    """Return the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` names them: indexes or UUIDs.

    Args:
        environment: its `CUDA_VISIBLE_DEVICES` decides if it is set, and its `PATH` says where `nvidia-smi` is.
        root: where `dev` and `proc` are.
    """
    if VARIABLE in environment:
        return _listed(environment[VARIABLE])
    count = _from_tool(environment) or _from_nodes(root) or _from_driver(root)
    return tuple(map(str, range(count)))


def _listed(value: str) -> tuple[str, ...]:
    # CUDA ignores everything from the first invalid entry on: -1 hides what follows.
    devices: list[str] = []
    for device in map(str.strip, value.split(",")):
        if not (device.isdigit() or device.startswith(("GPU-", "MIG-"))):
            break
        devices.append(device)
    return tuple(dict.fromkeys(devices))


def _from_tool(environment: Mapping[str, str]) -> int:
    tool = shutil.which("nvidia-smi", path=environment.get("PATH", ""))
    if tool is None:
        return 0
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        # A tool without its driver says nothing about devices that the machine may still show.
        return 0
    return sum(line.startswith("GPU ") for line in answer.stdout.splitlines())


def _from_nodes(root: Path) -> int:
    # A container may see /dev/nvidia3 alone: CUDA still counts from 0.
    return sum(node.name[len("nvidia") :].isdigit() for node in (root / "dev").glob("nvidia[0-9]*"))


def _from_driver(root: Path) -> int:
    return sum(1 for _ in (root / "proc/driver/nvidia/gpus").glob("*"))
