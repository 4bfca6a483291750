"""What a user writes under `predictor.onnx`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs


def _thread_count(_: object, attribute: attrs.Attribute[int | None], value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name} must be at least 1, not {value}")


@attrs.frozen
class OnnxSettings:
    """How ONNX Runtime runs the models.

    Args:
        providers: execution providers by ONNX Runtime's names, the preferred one first; None leaves it to `compute`.
        provider_options: ONNX Runtime's options, by the name of the provider.
        graph_optimization: how far graphs are rewritten when they are loaded.
        intra_op_threads: threads within one operator; None is the worker's share of the cores.
        inter_op_threads: operators that run side by side; from 2 on the graph runs in parallel.
        spinning: whether idle threads wait awake; None says no when the workers need more threads than there are cores.
        memory_arena: whether freed memory is kept for the next batch.
        share_weights: whether workers map the weights of one prepared file; None decides by size and workers.
    """

    providers: tuple[str, ...] | None = None
    provider_options: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    graph_optimization: Literal["none", "basic", "extended", "all"] = "all"
    intra_op_threads: int | None = attrs.field(default=None, validator=_thread_count)
    inter_op_threads: int | None = attrs.field(default=None, validator=_thread_count)
    spinning: bool | None = None
    memory_arena: bool = True
    share_weights: bool | None = None

    def __attrs_post_init__(self) -> None:
        if self.providers is not None and not self.providers:
            raise ValueError("providers is empty; leave it out, or name one")
        unused = sorted(set(self.provider_options) - set(self.providers or self.provider_options))
        if unused:
            raise ValueError(f"provider_options names {', '.join(unused)}, which providers does not")


@attrs.frozen
class Section:
    """The type's own keys of the `predictor` section."""

    onnx: OnnxSettings = attrs.field(factory=OnnxSettings)
