"""What a user writes under `compute`."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

# Variables of the runtime before release 2: today's ignores the first, and the second names a daemon that is gone.
DEAD = ("NEURONCORE_GROUP_SIZES", "NEURON_RTD_ADDRESS")


def _not_negative(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ValueError(f"must be 0 or more a worker, not {value}")


def _rows(value: int) -> None:
    if value < 1:
        raise ValueError(f"a batch has at least 1 row, not {value}")


def _a_batch(_: object, __: object, value: int | None) -> None:
    if value is not None:
        _rows(value)


def _batches(_: object, __: object, value: Mapping[str, int]) -> None:
    for rows in value.values():
        _rows(rows)


@attrs.frozen
class NeuronSettings:
    """How the client runs compiled models: the key `neuron`.

    Args:
        batch_size: rows that the models were compiled for; None reads it from each archive.
        batch_sizes: the same by the name of a model, where they differ.
        dynamic_batch: whether the models take batches of any size.
        data_parallel: whether each model runs on all cores of its worker, and a batch is spread over them.
    """

    batch_size: int | None = attrs.field(default=None, validator=_a_batch)
    batch_sizes: Mapping[str, int] = attrs.field(factory=dict, validator=_batches)
    dynamic_batch: bool = False
    data_parallel: bool = False

    def __attrs_post_init__(self) -> None:
        if self.dynamic_batch and (self.batch_size is not None or self.batch_sizes):
            raise ValueError("a model with dynamic_batch has no batch size: give one or the other")


@attrs.frozen
class Section:
    """The target's keys: `inf` is the number of whole chips a worker, `neuron_cores` that of cores."""

    inf: int = attrs.field(default=0, validator=_not_negative)
    neuron_cores: int = attrs.field(default=0, validator=_not_negative)
    neuron: NeuronSettings = attrs.field(factory=NeuronSettings)

    def __attrs_post_init__(self) -> None:
        if self.inf and self.neuron_cores:
            raise ValueError("give either inf (whole chips a worker) or neuron_cores (cores a worker), not both")
