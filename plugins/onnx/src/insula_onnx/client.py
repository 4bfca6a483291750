"""What predictors call: `onnx_client`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insula_onnx.model import SINGLE, OnnxModel


class ModelNameError(ValueError):
    """`model_name` names none of the models, or is missing where there are several."""


class ONNXClient:
    """Runs the models of an API in ONNX Runtime.

    Args:
        models: at least one; a single model that has no name of its own is called `_cortex_default`.
    """

    def __init__(self, models: Sequence[OnnxModel]) -> None:
        self._models = {model.name: model for model in models}
        self._only = models[0] if len(models) == 1 else None

    def predict(self, model_input: Any, model_name: str | None = None) -> list[Any]:
        """Run a model.

        Args:
            model_input: an array, a (nested) list or one value for a model of one input; or a mapping of input names to
                these. Inputs that the model has a default for may be left out. Arrays of the declared dtype and shape
                are passed on as they are; other numbers are cast where nothing is lost but digits of a fraction, and
                values are reshaped where only one shape is possible.
            model_name: which model; needed exactly when there are several.

        Returns:
            The outputs, in the model's order, as `onnxruntime.InferenceSession.run` returns them.

        Raises:
            ModelNameError: if there is no such model, or none is named and there are several.
            ModelInputError: if an input cannot take its value; it names both dtypes and shapes.
        """
        model = self._only if model_name is None else self._models.get(model_name)
        if model is None:
            raise ModelNameError(self._choices(model_name))
        return model.predict(model_input)

    def _choices(self, model_name: str | None) -> str:
        names = ", ".join(self._models)
        if model_name is None:
            return f"model_name is missing; the models are {names}"
        if list(self._models) == [SINGLE]:
            return f"there is no model {model_name!r}: the only model was given no name, so leave model_name out"
        return f"there is no model {model_name!r}; the models are {names}"

    @property
    def sessions(self) -> dict[str, Any]:
        """The `onnxruntime.InferenceSession` of each model."""
        return {name: model.session for name, model in self._models.items()}

    @property
    def input_signatures(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By model and input: `shape` (a number, a name or None for each dimension) and `type`, a numpy dtype."""
        return {name: model.signature for name, model in self._models.items()}
