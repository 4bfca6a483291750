"""A loaded model: what its inputs want, and how values become that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from insula_onnx.casting import Array, Unsafe, cast, to_array
from insula_onnx.elements import ElementType
from insula_onnx.shaping import Shape

SINGLE = "_cortex_default"


class ModelInputError(ValueError):
    """An input of a model was given what it cannot take."""


class ModelInput:
    """One input of a model.

    Args:
        of: what messages call the model.
        meta: what ONNX Runtime says of the input.
        is_scalar: whether it is declared to have no dimension; otherwise no dimensions mean any.
    """

    def __init__(self, of: str, meta: Any, is_scalar: bool) -> None:
        self.name: str = meta.name
        self.type = ElementType.parse(meta.type)
        self.dimensions: list[int | str | None] = list(meta.shape)
        self.dtype = None if self.type.dtype is None else np.dtype(self.type.dtype)
        self._of = of
        self._shape = Shape(self.dimensions if self.dimensions or is_scalar else None)
        # Strings are looked at one by one: ONNX Runtime would write None as "None".
        self._plain = self.dtype if self.dtype != object else None

    def accept(self, value: Any) -> Any:
        """Return a value as the model takes it.

        Raises:
            ModelInputError: if that would change what it says, or its shape does not fit.
        """
        if type(value) is np.ndarray and value.dtype == self._plain and self._shape.allows(value.shape):
            return value
        if self.dtype is None or (value is None and self.type.optional):
            return value  # a sequence or map, which ONNX Runtime checks itself
        return self._converted(value)

    def _converted(self, value: Any) -> Array:
        assert self.dtype is not None
        try:
            array = to_array(value, self.dtype)
        except Unsafe as error:
            raise ModelInputError(f"{self._expected}, found a {type(value).__name__}: {error}") from error
        found = f"{self._expected}, found {array.dtype} of shape {list(array.shape)}"
        try:
            made = cast(array, self.dtype)
        except Unsafe as error:
            raise ModelInputError(f"{found}: {error}") from error
        if self._shape.allows(made.shape):
            return made
        shape = self._shape.fit(made.shape)
        if shape is None:
            raise ModelInputError(found)
        return made.reshape(shape)

    @property
    def _expected(self) -> str:
        elements = "strings" if self.type.dtype == "object" else self.type.dtype
        return f"{self._of}: input {self.name!r}: expected {elements} of shape {self._shape}"


class OnnxModel:
    """A session and its inputs.

    Args:
        name: the model's.
        session: an `onnxruntime.InferenceSession`.
        scalars: inputs that are declared to have no dimension.
    """

    def __init__(self, name: str, session: Any, scalars: frozenset[str]) -> None:
        self.name = name
        self.session = session
        of = "the model" if name == SINGLE else f"model {name}"
        required = [ModelInput(of, meta, meta.name in scalars) for meta in session.get_inputs()]
        default = [ModelInput(of, meta, meta.name in scalars) for meta in session.get_overridable_initializers()]
        self.inputs = {one.name: one for one in required}
        self._all = {one.name: one for one in (*required, *default)}
        self._needed = {one.name for one in required if not one.type.optional}
        self._only = required[0] if len(required) == 1 else None
        self._outputs = [meta.name for meta in session.get_outputs()]
        self._of = of
        self._run = session.run

    @property
    def unholdable(self) -> list[str]:
        """The inputs and outputs whose elements numpy has no dtype for, with their types."""
        metas = (*self.session.get_inputs(), *self.session.get_outputs())
        return [f"{meta.name} of type {meta.type}" for meta in metas if ElementType.parse(meta.type).unholdable]

    @property
    def signature(self) -> dict[str, dict[str, Any]]:
        """By input: its shape as the model declares it, and its numpy dtype (or ONNX's type where numpy has none)."""
        return {
            name: {"shape": one.dimensions, "type": one.dtype if one.dtype is not None else one.type.written}
            for name, one in self.inputs.items()
        }

    def predict(self, given: Any) -> list[Any]:
        """Run the model on a value for its only input, or on a mapping of input names to values.

        Raises:
            ModelInputError: naming the input, what it expects and what it was given.
        """
        return self._run(self._outputs, self._feed(given))  # type: ignore[no-any-return]

    def _feed(self, given: Any) -> dict[str, Any]:
        only = self._only
        if only is not None and (type(given) is np.ndarray or not self._is_feed(given)):
            return {only.name: only.accept(given)}
        if not isinstance(given, Mapping):
            names = ", ".join(self.inputs) or "none"
            raise ModelInputError(
                f"{self._of} has {len(self.inputs)} inputs ({names}): give a dict of input name to value, "
                f"not a {type(given).__name__}"
            )
        if not self._needed <= given.keys() <= self._all.keys():
            raise ModelInputError(self._wrong_names(given))
        return {name: self._all[name].accept(value) for name, value in given.items()}

    def _is_feed(self, given: Any) -> bool:
        if not isinstance(given, Mapping):
            return False
        # A model may take a map itself.
        return self._only is None or self._only.type.tensor or given.keys() == {self._only.name}

    def _wrong_names(self, given: Mapping[str, Any]) -> str:
        missing = [name for name in self.inputs if name in self._needed and name not in given]
        unknown = [str(name) for name in given if name not in self._all]
        told = [f"misses {', '.join(missing)}"] if missing else []
        told += [f"names {', '.join(unknown)}"] if unknown else []
        return f"{self._of}: model_input {' and '.join(told)}; the inputs are {', '.join(self._all)}"
