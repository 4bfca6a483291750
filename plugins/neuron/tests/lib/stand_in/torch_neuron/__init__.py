"""Stands in for AWS's torch_neuron: it keeps the contract between library, driver and archive, and computes on the CPU.

Importing it registers the operator that compiled models call. The runtime starts with the first compiled model that is loaded:
it reads its variables once, takes its cores from the driver, and keeps them until the process ends. Numerics and speed of a
chip are not in it.

`STAND_IN_DRIVER` is a folder: the driver's cores, and `log.jsonl` with what happened. Without it there is no driver.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import time
from pathlib import Path

import torch

VARIABLES = ("NEURON_RT_VISIBLE_CORES", "NEURON_RT_NUM_CORES", "NEURONCORE_GROUP_SIZES", "NEURON_RTD_ADDRESS")

_library = torch.library.Library("neuron", "DEF")
_library.define("forward_v2(Tensor[] inputs, Tensor weight, int[] compiled) -> Tensor[]")
_started: list[int] = []
_load = torch.jit.load


def _log(event: str, **more: object) -> None:
    folder = os.environ.get("STAND_IN_DRIVER")
    if folder:
        line = {"event": event, "pid": os.getpid(), "time": time.monotonic(), **more}
        with open(Path(folder, "log.jsonl"), "a") as file:
            file.write(json.dumps(line) + "\n")


def visible() -> list[int]:
    text = os.environ.get("NEURON_RT_VISIBLE_CORES", "")
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1)) if text else []


def _start() -> None:
    """Start the runtime: take the visible cores from the driver, which gives each to one process."""
    if _started:
        return
    folder = os.environ.get("STAND_IN_DRIVER")
    if not folder or not visible():
        raise RuntimeError(
            "The PyTorch Neuron Runtime could not be initialized. Neuron Driver issues are logged\nto your system logs."
        )
    for core in visible():
        descriptor = os.open(Path(folder, f"core{core}"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _log("refused", core=core)
            raise RuntimeError(f"NeuronCore(s) not available - Requested:nc{core}-nc{core} Available:0") from None
        _started.append(core)
    _log("started", cores=list(_started), environment={name: os.environ.get(name) for name in VARIABLES})


@functools.wraps(_load)
def _loading(path: object, *arguments: object, **named: object) -> torch.jit.ScriptModule:
    module = _load(path, *arguments, **named)
    compiled = [value for name, value in module.named_buffers() if name.endswith("compiled")]
    if compiled:
        _start()
        needed = int(compiled[0][1])
        if needed > len(_started):
            raise RuntimeError(
                f"NERR_RESOURCE_NC (9) There were insufficent NCs: requested {needed}, available {len(_started)}"
            )
        _log("loaded", path=str(path), cores=list(_started))
    return module


torch.jit.load = _loading


def _forward(inputs: list[torch.Tensor], weight: torch.Tensor, compiled: list[int]) -> list[torch.Tensor]:
    batch, _, dynamic = compiled
    if not _started:
        raise RuntimeError("The PyTorch Neuron Runtime could not be initialized.")
    for number, given in enumerate(inputs):
        if not dynamic and given.shape[0] != batch:
            shape, expected = (" ".join(map(str, size)) for size in (given.shape, [batch, *given.shape[1:]]))
            raise RuntimeError(
                f"Incorrect tensor shape at input tensor #{number}: received {shape}, expected {expected}."
            )
    _log("ran", rows=inputs[0].shape[0])
    total = inputs[0]
    for given in inputs[1:]:
        total = total + given
    return [total * weight, total.sum(1)]


_library.impl("forward_v2", _forward, "CPU")


class _Traced(torch.nn.Module):
    """A traced network behind the operator, which alone enforces the batch and needs the driver."""

    def __init__(self, network, example) -> None:
        super().__init__()
        self.network = torch.jit.trace(network, example)
        self.register_buffer("compiled", torch.tensor([len(example), 1, 0]))
        self.register_buffer("weight", torch.tensor(1.0))
        self.sizes = [len(example), 1, 0]

    def forward(self, x):
        return self.network(torch.ops.neuron.forward_v2([x], self.weight, self.sizes)[0])


def trace(network: torch.nn.Module, example: torch.Tensor) -> torch.jit.ScriptModule:
    return torch.jit.script(_Traced(network, example))


class DataParallel:
    """A model on several cores: without dynamic batching a batch has the compiled rows for each core."""

    def __init__(self, model, device_ids=None, dim=0) -> None:
        self.model, self.cores, self.dynamic = model, len(device_ids), True
        assert sorted(device_ids) == list(range(len(_started))), "ids count the process's own cores from 0"

    def disable_dynamic_batching(self) -> None:
        self.dynamic = False

    def __call__(self, *inputs):
        if not self.dynamic and inputs[0].shape[0] % self.cores:
            raise RuntimeError("the batch cannot be split over the cores")
        pieces = zip(*(given.chunk(self.cores) for given in inputs), strict=True)
        answers = [self.model(*piece) for piece in pieces]
        _log("spread", cores=self.cores, rows=inputs[0].shape[0])
        return tuple(torch.cat(same) for same in zip(*answers, strict=True))


_log("imported", environment={name: os.environ.get(name) for name in VARIABLES})
