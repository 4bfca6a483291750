"""Which of an API's models a predictor means: what the clients of all predictor types have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

M = TypeVar("M")
# The model of an API that was given no name, as in Cortex.
SINGLE = "_cortex_default"


class ModelNameError(ValueError):
    """`model_name` names none of the models, or is missing where there are several."""


class NamedModels(Generic[M]):
    """The models of a client.

    Args:
        models: by name, at least one; a single model that has no name of its own is called `SINGLE`.
    """

    def __init__(self, models: Mapping[str, M]) -> None:
        self.by_name = dict(models)
        self._only = next(iter(models.values())) if len(models) == 1 else None

    def choose(self, model_name: str | None) -> M:
        """Return the model of a name, which is needed exactly when there are several.

        Raises:
            ModelNameError: if there is no such model, or none is named and there are several; it lists the names.
        """
        model = self._only if model_name is None else self.by_name.get(model_name)
        if model is None:
            raise ModelNameError(self._choices(model_name))
        return model

    def _choices(self, model_name: str | None) -> str:
        names = ", ".join(self.by_name)
        if model_name is None:
            return f"model_name is missing; the models are {names}"
        if list(self.by_name) == [SINGLE]:
            return f"there is no model {model_name!r}: the only model was given no name, so leave model_name out"
        return f"there is no model {model_name!r}; the models are {names}"
