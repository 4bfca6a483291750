"""The predictor type `python`: the user's class does everything, so the core's own answers are all that is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from insula import hookimpl
from insula.descriptors import PredictorType, WorkerContext


class PythonPlugin:
    """Describes the type; hardware targets that bring models of their own (`neuron_client`) answer for them."""

    @hookimpl
    def insula_predictor_type(self) -> PredictorType:
        """Describe the predictor type."""
        return PredictorType(
            name="python",
            class_name="PythonPredictor",
            models="optional",
            hardware=("gpu",),
            template=Path(__file__).parent / "template",
        )

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> Sequence[str]:
        """Refuse models where nobody could load them: a GPU is no more than a place."""
        if context.models and not set(context.api.compute.targets) - {"gpu"}:
            return [
                "predictor.models: predictor type python loads no models by itself: name a hardware target that does "
                "in compute, or leave models out, give the path in predictor.config and load it in your constructor"
            ]
        return []


plugin = PythonPlugin()
