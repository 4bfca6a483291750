"""Values into tensors, and tensors into numpy: padded, cut and joined along the first dimension."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch


def to_input(value: Any) -> Any:
    """Return what a TorchScript model takes: a tensor, or a number as it is.

    Arrays keep their dtype; numbers in lists become float32 or int64, as in `torch.tensor`.

    Raises:
        TypeError: if torch has no such dtype.
        ValueError: if lists are ragged.
    """
    if isinstance(value, np.generic):  # a float64 of numpy's is a float of Python's too
        return value.item()
    if isinstance(value, (torch.Tensor, bool, int, float)):
        return value
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], torch.Tensor):
        return torch.stack(list(value))
    if isinstance(value, (list, tuple)):
        return _of_list(value)
    raise TypeError(f"expected an array, a tensor, a list or a number, found a {type(value).__name__}")


def _of_array(array: np.ndarray[Any, Any]) -> torch.Tensor:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    # torch warns of arrays that may not be written to, as those over bytes are.
    return torch.from_numpy(np.require(native, requirements=("C", "W")))


def _of_list(values: Sequence[Any]) -> torch.Tensor:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"its rows differ in shape: {error}") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected numbers, found values of dtype {array.dtype}")
    if array.dtype == np.float64 and not _holds_float64(values):
        array = array.astype(np.float32)
    return _of_array(array)


def _holds_float64(values: Any) -> bool:
    """Return whether the innermost values are numpy's, whose precision somebody chose."""
    while isinstance(values, (list, tuple)) and values:
        values = values[0]
    return isinstance(values, (np.ndarray, np.generic)) and values.dtype == np.float64


# ------------------------------------------------------------------------------------------------ batches


def cut(inputs: Sequence[Any], start: int, size: int) -> list[Any]:
    """Return the rows from `start` on, at most `size`, of each input that has rows."""
    return [value[start : start + size] if _has_rows(value) else value for value in inputs]


def padded(inputs: Sequence[Any], size: int) -> list[Any]:
    """Return inputs of exactly `size` rows: the last one is repeated, as it is surely something the model can take."""
    return [_padded(value, size) if _has_rows(value) else value for value in inputs]


def _padded(value: torch.Tensor, size: int) -> torch.Tensor:
    missing = size - len(value)
    return torch.cat([value, value[-1:].expand(missing, *value.shape[1:])]) if missing else value.contiguous()


def _has_rows(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() > 0


def joined(answers: Sequence[Any], rows: int, size: int) -> Any:
    """Return the answers of batches of `size` rows as one, in numpy, the padding cut off.

    Args:
        answers: what the model returned for each batch: tensors, or the same tuple, list or dict of tensors.
        rows: without the padding.

    Raises:
        ValueError: if an answer has not one row for each of the batch.
    """

    def join(tensors: Sequence[Any]) -> Any:
        for tensor in tensors:
            if not _has_rows(tensor) or len(tensor) != size:
                shape = list(tensor.shape) if isinstance(tensor, torch.Tensor) else f"a {type(tensor).__name__}"
                raise ValueError(f"an output is {shape}, not one row for each of {size}")
        return _array(torch.cat(list(tensors))[:rows])

    return _through(answers, join)


def to_numpy(answer: Any) -> Any:
    """Return what a model answered, its tensors as arrays."""
    return _through([answer], lambda values: _array(values[0]) if isinstance(values[0], torch.Tensor) else values[0])


def _through(answers: Sequence[Any], leaf: Callable[[Sequence[Any]], Any]) -> Any:
    first = answers[0]
    if isinstance(first, dict):
        return {key: _through([answer[key] for answer in answers], leaf) for key in first}
    if isinstance(first, (list, tuple)):
        parts = [_through(same, leaf) for same in zip(*answers, strict=True)]
        return parts if isinstance(first, list) else tuple(parts)
    return leaf(answers)


def _array(tensor: torch.Tensor) -> Any:
    held = tensor.detach().cpu()
    # numpy has no bfloat16.
    return (held.float() if held.dtype == torch.bfloat16 else held).numpy()
