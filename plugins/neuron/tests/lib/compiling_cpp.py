"""Compiles a model with the stand-in in C++; run as a program.

python compiling_cpp.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch_neuronx  # noqa: F401 (builds and registers the class and the operator)


def main(folder: Path) -> None:
    neuron = torch.classes.neuron

    class Compiled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = neuron.Model(torch.tensor(2.0), 4)
            self.batch = 4

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ops.neuron.forward_v2_1([x], self.model)

    torch.jit.save(torch.jit.script(Compiled()), folder / "newer.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
