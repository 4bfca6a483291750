"""The stand-in keeps the contract that the tests rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LIB = Path(__file__).parents[1] / "lib"
LOAD = "import sys, torch; torch.jit.load(sys.argv[1]); print('loaded')"


def load(code: str, model: Path, driver: Path, cores: str = "0", *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(LIB / "stand_in"), "STAND_IN_DRIVER": str(driver)}
    environment["NEURON_RT_VISIBLE_CORES"] = cores
    command = [sys.executable, "-c", code, model, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    return done.stdout + done.stderr


def test_a_compiled_archive_loads_only_behind_the_import(models: Path, tmp_path: Path) -> None:
    assert "Unknown builtin op: neuron::forward_v2" in load(LOAD, models / "four.pt", tmp_path)
    assert load(f"import torch_neuron; {LOAD}", models / "four.pt", tmp_path) == "loaded\n"


TWICE = """
import subprocess, sys, torch, torch_neuron
torch.jit.load(sys.argv[1])
if sys.argv[2:]:
    subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]])
"""


def test_a_core_belongs_to_one_process(models: Path, tmp_path: Path) -> None:
    said = load(TWICE, models / "four.pt", tmp_path, "0-1", TWICE)
    assert "NeuronCore(s) not available - Requested:nc0-nc0 Available:0" in said


def test_the_compiled_batch_is_enforced(models: Path, tmp_path: Path) -> None:
    code = (
        "import sys, torch, torch_neuron; model = torch.jit.load(sys.argv[1]);"
        "print(model(torch.ones(4, 2))[1].tolist()); model(torch.ones(3, 2))"
    )
    said = load(code, models / "four.pt", tmp_path)
    assert "[2.0, 2.0, 2.0, 2.0]" in said
    assert "received 3 2, expected 4 2" in said
