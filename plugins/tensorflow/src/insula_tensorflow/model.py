"""A model as the client calls it: its signature, what its inputs want, and where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from insula_tensorflow.arrays import OutputArray
from insula_tensorflow.backend import Array, Backend
from insula_tensorflow.casting import UnsafeError, convert
from insula_tensorflow.naming import called
from insula_tensorflow.signature import Signature, TensorInfo


class ModelInputError(ValueError):
    """An input of a model was given what it cannot take."""


class ModelInput:
    """One input of a model.

    Args:
        of: what messages call the model.
    """

    def __init__(self, of: str, info: TensorInfo) -> None:
        self._of = of
        self._info = info
        # Strings are looked at one by one: they must become bytes.
        self._plain = info.dtype if info.dtype.kind != "O" else None
        self._rank = -1 if info.shape is None else len(info.shape)
        self._fixed = tuple((axis, size) for axis, size in enumerate(info.shape or ()) if size is not None)

    def accept(self, value: Any) -> Array:
        """Return a value as the model takes it.

        Raises:
            ModelInputError: if that would change what it says, or its shape is another.
        """
        if type(value) is np.ndarray and value.dtype == self._plain and self._allows(value.shape):
            return value
        try:
            made = convert(value, self._info.dtype)
        except UnsafeError as error:
            raise ModelInputError(f"{self._expected}, found {_found(value)}: {error}") from error
        if not self._allows(made.shape):
            raise ModelInputError(f"{self._expected}, found {_found(made)}")
        return made

    def _allows(self, shape: tuple[int, ...]) -> bool:
        if len(shape) != self._rank:
            return self._rank < 0
        return all(shape[axis] == size for axis, size in self._fixed)

    @property
    def _expected(self) -> str:
        elements = "strings" if self._plain is None else self._plain
        return f"{self._of}: input {self._info.name!r}: expected {elements} of {_told(self._info)}"


def _found(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return f"a {type(value).__name__}"
    return f"{'strings' if value.dtype.kind == 'O' else value.dtype} of shape {list(value.shape)}"


def _told(info: TensorInfo) -> str:
    if info.shape is None:
        return "any shape"
    return f"shape [{', '.join('?' if size is None else str(size) for size in info.shape)}]"


class TensorFlowModel:
    """One model, and the signature of it that is meant.

    Args:
        name: the model's.
    """

    def __init__(self, name: str, backend: Backend, signature: Signature) -> None:
        self.name = name
        self.backend = backend
        self._signature = signature
        self._of = called(name)
        self._inputs = {one.name: ModelInput(self._of, one) for one in signature.inputs.values()}

    @property
    def input_signature(self) -> dict[str, dict[str, Any]]:
        """By input: `shape` (-1 is open; `scalar` and `unknown` as in Cortex) and `type`, numpy's name or `string`."""
        return {name: {"shape": _shape(one), "type": _type(one)} for name, one in self._signature.inputs.items()}

    def predict(self, given: Any) -> dict[str, Array]:
        """Run the model on a mapping of input names to values, or on a value for its only input.

        Raises:
            ModelInputError: naming the input, what it expects and what it was given.
        """
        outputs = self.backend.predict(self._signature, self._feed(given))
        return {name: value.view(OutputArray) for name, value in outputs.items()}

    def _feed(self, given: Any) -> dict[str, Array]:
        if not isinstance(given, Mapping):
            if len(self._inputs) != 1:
                raise ModelInputError(
                    f"{self._of} has {len(self._inputs)} inputs ({self._names}): give a dict of input name to value, "
                    f"not a {type(given).__name__}"
                )
            given = dict.fromkeys(self._inputs, given)
        if given.keys() != self._inputs.keys():
            raise ModelInputError(self._wrong_names(given))
        return {name: one.accept(given[name]) for name, one in self._inputs.items()}

    def _wrong_names(self, given: Mapping[str, Any]) -> str:
        missing = [name for name in self._inputs if name not in given]
        unknown = [str(name) for name in given if name not in self._inputs]
        told = [f"misses {', '.join(missing)}"] if missing else []
        told += [f"names {', '.join(unknown)}"] if unknown else []
        return f"{self._of}: model_input {' and '.join(told)}; the inputs are {self._names}"

    @property
    def _names(self) -> str:
        return ", ".join(self._inputs) or "none"


def _shape(info: TensorInfo) -> Any:
    if info.shape is None:
        return "unknown"
    return [-1 if size is None else size for size in info.shape] or "scalar"


def _type(info: TensorInfo) -> str:
    return "string" if info.dtype.kind == "O" else info.dtype.name
