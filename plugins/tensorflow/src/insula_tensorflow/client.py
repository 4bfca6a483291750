"""What predictors call: `tensorflow_client`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insula.model_names import NamedModels
from insula_tensorflow.backend import Array
from insula_tensorflow.model import TensorFlowModel


class TensorFlowClient:
    """Runs the models of an API, wherever they are.

    Args:
        models: at least one; a single model that has no name of its own is called `_cortex_default`.
    """

    def __init__(self, models: Sequence[TensorFlowModel]) -> None:
        self._models = NamedModels({model.name: model for model in models})

    def predict(self, model_input: Any, model_name: str | None = None) -> dict[str, Array]:
        """Run a model.

        Args:
            model_input: a mapping of input names to arrays, tensors, (nested) lists, numbers or strings; or one of
                these for a model of one input. Arrays of the declared dtype are passed on as they are; other numbers
                are cast where nothing is lost but digits of a fraction. Shapes are never changed.
            model_name: which model; needed exactly when there are several.

        Returns:
            By output, an array of the model's dtype and shape, strings as bytes in an array of objects. An array of
            one element converts to a Python number and is an index.

        Raises:
            ModelNameError: if there is no such model, or none is named and there are several.
            ModelInputError: if an input cannot take its value; it names both dtypes and shapes. Nothing was run.
        """
        return self._models.choose(model_name).predict(model_input)

    @property
    def input_signatures(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By model and input: `shape`, a list in which -1 is open, and `type`, the name of a numpy dtype or `string`."""
        return {name: model.input_signature for name, model in self._models.by_name.items()}
