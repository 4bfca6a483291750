"""The predictor type `python`: the user's class does everything, so the core's own answers are all that is needed."""

from __future__ import annotations

from insula import hookimpl
from insula.descriptors import PredictorType


class PythonPlugin:
    """Describes the type; hardware targets that bring models of their own (`neuron_client`) answer for them."""

    @hookimpl
    def insula_predictor_type(self) -> PredictorType:
        """Describe the predictor type."""
        return PredictorType(name="python", class_name="PythonPredictor", models="optional", hardware=("gpu",))


plugin = PythonPlugin()
