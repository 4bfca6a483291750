"""What `predict` returned, and what that means for the samples of its batch."""

from __future__ import annotations

import inspect
from typing import Any

from insula.descriptors import Predictions
from insula.spec.api import Returns
from insula.worker.frameworks import kind_of, to_python


def interpret(value: Any, returns: Returns, count: int) -> Predictions:
    """Interpret what `predict` returned for a batch.

    A list, or an array, tensor, Series or DataFrame by rows, is one prediction a sample; None says that the predictor stored
    its output itself; anything else is one prediction for the whole batch.

    Args:
        returns: `each`, `whole` or `nothing` say what it is meant to be, `auto` lets the value say so.
        count: samples of the batch.

    Raises:
        TypeError: if it is an iterator or coroutine, or not a sequence though `returns` is `each`.
        ValueError: if it is one prediction a sample but has another length.
    """
    if type(value) is list and returns in ("auto", "each"):
        return _each(value, count)
    _refuse_unfinished(value)
    if returns == "nothing":
        return Predictions.stored()
    kind = kind_of(value)
    if kind:
        value = to_python(value, kind)
    if returns == "whole":
        return Predictions.whole(value)
    if returns == "auto" and value is None:
        return Predictions.stored()
    if isinstance(value, list) and (kind or returns == "auto"):
        return _each(value, count)
    return _forced(value, count) if returns == "each" else Predictions.whole(value)


def _forced(value: Any, count: int) -> Predictions:
    if not isinstance(value, (list, tuple)):
        raise TypeError(
            f"predict returned {_described(value)}, but predictor.returns is each: "
            "return a list with one prediction a sample"
        )
    return _each(list(value), count)


def _each(values: list[Any], count: int) -> Predictions:
    if len(values) != count:
        raise ValueError(
            f"predict returned {len(values)} predictions for {count} samples; to return one value for the whole "
            "batch, return it in a tuple or dict, or set predictor.returns to whole"
        )
    return Predictions("each", values)


def _refuse_unfinished(value: Any) -> None:
    kind = type(value)
    if any(hasattr(kind, name) for name in ("__next__", "__anext__", "__await__")):
        if inspect.iscoroutine(value):
            value.close()  # or Python warns, in no place that says more, that it was never awaited
        raise TypeError(f"predict returned {_described(value)}, which has predicted nothing yet: return a list")


def _described(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
