from __future__ import annotations

from pathlib import Path

import pytest

from insula.hardware.devices import visible_gpus


def tool(folder: Path, script: str) -> dict[str, str]:
    """Install an nvidia-smi that runs a shell script, and return the environment that finds it."""
    folder.mkdir()
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    return {"PATH": str(folder)}


def nodes(root: Path, *names: str) -> Path:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


@pytest.mark.parametrize(
    ("value", "gpus"),
    [
        ("0,1,3", ("0", "1", "3")),
        (" 2 , 0 ", ("2", "0")),
        ("GPU-8932f937,MIG-5b1c", ("GPU-8932f937", "MIG-5b1c")),
        ("", ()),
        ("-1", ()),
        ("0,-1,1", ("0",)),
        ("NoDevFiles", ()),
        ("1,1", ("1",)),
    ],
)
def test_the_variable_decides(tmp_path: Path, value: str, gpus: tuple[str, ...]) -> None:
    root = nodes(tmp_path, *(f"dev/nvidia{number}" for number in range(8)))
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": value}, root) == gpus


def test_the_tool_counts(tmp_path: Path) -> None:
    environment = tool(
        tmp_path / "bin",
        "echo 'GPU 0: NVIDIA A100 (UUID: GPU-1)'; echo '  MIG 1g.5gb Device 0: (UUID: MIG-1)';"
        "echo 'GPU 1: NVIDIA A100 (UUID: GPU-2)'",
    )
    assert visible_gpus(environment, tmp_path) == ("0", "1")


def test_a_tool_without_its_driver_leaves_the_nodes(tmp_path: Path) -> None:
    environment = tool(tmp_path / "bin", "echo 'NVIDIA-SMI has failed'; exit 9")
    root = nodes(tmp_path, "dev/nvidia3", "dev/nvidia7", "dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia0x")
    assert visible_gpus(environment, root) == ("0", "1")


def test_the_drivers_own_list(tmp_path: Path) -> None:
    root = nodes(tmp_path, "proc/driver/nvidia/gpus/0000:00:1e.0/information", "proc/driver/nvidia/gpus/0000:00:1f.0/x")
    assert visible_gpus({}, root) == ("0", "1")


def test_a_machine_without_gpus(tmp_path: Path) -> None:
    assert visible_gpus({"PATH": str(tmp_path)}, tmp_path) == ()
