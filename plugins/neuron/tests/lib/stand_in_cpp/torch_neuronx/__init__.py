"""Stands in for AWS's torch_neuronx, with its class and operator in C++; built when it is first imported.

`STAND_IN_BUILD` is the folder for the library.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch.utils.cpp_extension import load as _build

_build(
    "neuron_stand_in",
    [str(Path(__file__).with_name("runtime.cpp"))],
    build_directory=os.environ["STAND_IN_BUILD"],
    is_python_module=False,
)


class _Dynamic(torch.nn.Module):
    """Cuts and pads batches as the wrapper of the real library does."""

    def __init__(self, model: torch.nn.Module, batch: int) -> None:
        super().__init__()
        self.model, self.batch = model, batch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = torch.cat([x, x.new_zeros(-len(x) % self.batch, *x.shape[1:])])
        return torch.cat([self.model(piece) for piece in padded.split(self.batch)])[: len(x)]


def dynamic_batch(model: torch.jit.ScriptModule) -> torch.nn.Module:
    return _Dynamic(model, model.batch)
