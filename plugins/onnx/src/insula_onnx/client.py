"""What predictors call: `onnx_client`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insula.model_names import NamedModels
from insula_onnx.model import OnnxModel


class ONNXClient:
    """Runs the models of an API in ONNX Runtime.

    Args:
        models: at least one; a single model that has no name of its own is called `_cortex_default`.
    """

    def __init__(self, models: Sequence[OnnxModel]) -> None:
        self._models = NamedModels({model.name: model for model in models})

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
        return self._models.choose(model_name).predict(model_input)

    @property
    def sessions(self) -> dict[str, Any]:
        """The `onnxruntime.InferenceSession` of each model."""
        return {name: model.session for name, model in self._models.by_name.items()}

    @property
    def input_signatures(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By model and input: `shape` (a number, a name or None for each dimension) and `type`, a numpy dtype."""
        return {name: model.signature for name, model in self._models.by_name.items()}
