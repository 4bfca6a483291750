"""What predictors call: `neuron_client`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insula.model_names import NamedModels
from insula_neuron.model import NeuronModel


class NeuronClient:
    """Runs the models of an API on the cores of its worker.

    Args:
        models: at least one; a single model that has no name of its own is called `_cortex_default`.
    """

    def __init__(self, models: Sequence[NeuronModel]) -> None:
        self._models = NamedModels({model.name: model for model in models})

    def predict(self, model_input: Any, model_name: str | None = None) -> Any:
        """Run a model.

        Args:
            model_input: an array, a tensor or a (nested) list for a model of one input, rows first; a tuple of these for
                one of several, or a mapping by their names. Arrays and tensors keep their dtype; numbers in lists become
                float32 or int64. Single numbers are passed on as they are. Where the model was compiled for a batch of
                one size, batches are padded with their last row and cut again, and longer ones split.
            model_name: which model; needed exactly when there are several.

        Returns:
            What the model returns (a tensor, or a tuple, list or dict of tensors), each tensor as an array. bfloat16, which
            numpy has not, becomes float32.

        Raises:
            ModelNameError: if there is no such model, or none is named and there are several.
            ModelInputError: if an input cannot be made a tensor, or the model was compiled for another batch.
        """
        return self._models.choose(model_name).predict(model_input)

    @property
    def batch_sizes(self) -> dict[str, int | None]:
        """The rows of each call, by model; None where batches are passed on as they are."""
        return {name: model.batch_size for name, model in self._models.by_name.items()}
