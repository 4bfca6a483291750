"""One TorchScript model, called with batches of any size though it was compiled for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from insula.model_names import SINGLE
from insula_neuron.tensors import cut, joined, padded, to_input, to_numpy

# What the runtime says of a batch that a model was not compiled for.
_SHAPES = re.compile(r"received ([\d ]+?)\s*,\s*expected ([\d ]+)")


class ModelInputError(ValueError):
    """A model cannot take what it is given."""


class NeuronModel:
    """A model that takes numpy or tensors and answers with numpy.

    Args:
        name: what predictors call it.
        call: the model.
        arguments: the names of its inputs, in order.
        batch_size: rows of each call; None passes batches on as they are.
    """

    def __init__(
        self, name: str, call: Callable[..., Any], arguments: Sequence[str], batch_size: int | None = None
    ) -> None:
        self.name = name
        self.batch_size = batch_size
        self.call = call
        self.arguments = tuple(arguments)

    def predict(self, model_input: Any) -> Any:
        """Run the model; see `NeuronClient.predict`."""
        inputs = [self._converted(name, value) for name, value in self._by_position(model_input)]
        rows = self._rows(inputs)
        with torch.no_grad():
            if self.batch_size is None or rows is None or rows == self.batch_size:
                return to_numpy(self._run(inputs))
            return self._in_pieces(inputs, rows, self.batch_size)

    def _in_pieces(self, inputs: list[Any], rows: int, size: int) -> Any:
        answers = [self._run(padded(cut(inputs, start, size), size)) for start in range(0, rows, size)]
        try:
            return joined(answers, rows, size)
        except ValueError as error:
            raise ModelInputError(
                f"{self._called}: {rows} rows do not make whole batches of {size}, and {error}, so that the padding cannot "
                f"be cut off; give a multiple of {size} rows one batch at a time"
            ) from error

    def _run(self, inputs: Sequence[Any]) -> Any:
        try:
            return self.call(*inputs)
        except RuntimeError as error:
            raise self._explained(error) from error

    def _explained(self, error: RuntimeError) -> Exception:
        found = _SHAPES.search(str(error))
        received, expected = (one.split() for one in found.groups()) if found else ([], [])
        if not expected or received[1:] != expected[1:] or self.batch_size == int(expected[0]):
            return error
        return ModelInputError(
            f"{self._called} was compiled for batches of {expected[0]} and got {received[0]} rows: set "
            f"compute.neuron.batch_size to {expected[0]}, so that batches are padded and split"
        )

    # -------------------------------------------------------------------------------------------- inputs

    def _by_position(self, model_input: Any) -> list[tuple[str, Any]]:
        if isinstance(model_input, Mapping):
            self._check_names(model_input)
            return [(name, model_input[name]) for name in self.arguments if name in model_input]
        given = model_input if isinstance(model_input, tuple) else (model_input,)
        if len(given) > len(self.arguments):
            raise ModelInputError(
                f"{self._called} got {len(given)} inputs and takes {len(self.arguments)}: {self._named}"
            )
        return list(zip(self.arguments, given, strict=False))

    def _check_names(self, given: Mapping[str, Any]) -> None:
        unknown = [str(name) for name in given if name not in self.arguments]
        if unknown:
            raise ModelInputError(f"{self._called} has no input {', '.join(unknown)}; the inputs are {self._named}")
        missing = [name for name in self.arguments[: len(given)] if name not in given]
        if missing:
            raise ModelInputError(
                f"{self._called}: model_input misses {', '.join(missing)}; the inputs are {self._named}"
            )

    def _converted(self, name: str, value: Any) -> Any:
        try:
            return to_input(value)
        except (TypeError, ValueError) as error:
            raise ModelInputError(f"{self._called}: input {name!r}: {error}") from error

    def _rows(self, inputs: Sequence[Any]) -> int | None:
        """Return the rows of the batch; None if there is nothing but single values."""
        sizes = [len(value) for value in inputs if isinstance(value, torch.Tensor) and value.dim()]
        if len(set(sizes)) > 1 and self.batch_size is not None:
            raise ModelInputError(
                f"{self._called}: its inputs have {', '.join(map(str, sizes))} rows; give all the same"
            )
        if sizes and not sizes[0] and self.batch_size is not None:
            raise ModelInputError(f"{self._called} got a batch without rows")
        return sizes[0] if sizes else None

    @property
    def _called(self) -> str:
        return "the model" if self.name == SINGLE else f"model {self.name}"

    @property
    def _named(self) -> str:
        return ", ".join(self.arguments)
