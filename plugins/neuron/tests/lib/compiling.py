"""Compiles the models of the tests with the stand-in; run as a program, so that the tests' own process knows no operator.

python compiling.py FOLDER
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import torch


class Adding(torch.nn.Module):
    """Returns a tuple: the weighted rows, and their sums before."""

    def __init__(self, factor: float, batch: int, cores: int = 1, dynamic: int = 0) -> None:
        super().__init__()
        self.register_buffer("weight", torch.tensor(factor))
        self.register_buffer("compiled", torch.tensor([batch, cores, dynamic]))
        self.sizes = [batch, cores, dynamic]

    def forward(self, x):
        answers = torch.ops.neuron.forward_v2([x], self.weight, self.sizes)
        return answers[0], answers[1]


class Two(Adding):
    """Takes two inputs."""

    def forward(self, left, right):
        return torch.ops.neuron.forward_v2([left, right], self.weight, self.sizes)[0]


class Plain(torch.nn.Module):
    """Runs on the CPU."""

    def forward(self, x):
        return x * 2


def save(model: torch.nn.Module, path: Path, **said: int) -> None:
    extra = {"neuron.json": json.dumps(said)} if said else {}
    torch.jit.save(torch.jit.script(model), path, _extra_files=extra)


def save_for_another(plain: Path, path: Path) -> None:
    """Write a model that calls an operator of Neuron which the stand-in does not have."""
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            text = source.read(name).replace(b"torch.mul(x, 2)", b"ops.neuron.execute(x)")
            target.writestr(name, text)


def main(folder: Path) -> None:
    save(Plain(), folder / "cpu.pt")
    save_for_another(folder / "cpu.pt", folder / "other.pt")
    torch.save({"weight": torch.ones(3)}, folder / "weights.pt")
    import torch_neuron  # noqa: F401 (registers the operator)

    save(Adding(2.0, 4), folder / "silent.pt")
    save(Adding(2.0, 4), folder / "four.pt", batch_size=4)
    save(Adding(3.0, 2), folder / "two.pt", batch_size=2)
    save(Adding(2.0, 1, dynamic=1), folder / "any.pt", batch_size=1)
    save(Adding(2.0, 1, cores=2), folder / "wide.pt", batch_size=1)
    save(Adding(2.0, 1, cores=2), folder / "said.pt", batch_size=1, cores=2)
    save(Two(1.0, 4), folder / "inputs.pt", batch_size=4)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
