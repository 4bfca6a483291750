"""The predictor type `multiply`: no user code, a factor in the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from insula import hookimpl
from insula.descriptors import COMPLETED, Completed, Predictions, Predictor, PredictorType, WorkerContext


@attrs.frozen
class Settings:
    """The type's own keys of the `predictor` section."""

    factor: int = 2


@attrs.frozen
class Multiplier:
    """What is called for a batch."""

    factor: int
    options: Mapping[str, Any]

    def __call__(self, number: int) -> dict[str, Any]:
        """Return the product, and where it was computed."""
        return {
            "product": number * self.factor,
            "on": self.options.get("on", "cpu"),
            "by": os.environ.get("MARKED_BY"),
        }


class Multiply:
    """Multiplies numbers."""

    @hookimpl
    def insula_predictor_type(self) -> PredictorType:
        """Describe the type."""
        return PredictorType("multiply", class_name=None, settings=Settings, hardware=("abacus",))

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> Sequence[str]:
        """Refuse a factor that makes nothing of everything."""
        return ["predictor.factor: 0 would leave nothing"] if context.api.predictor.settings.factor == 0 else []

    @hookimpl
    def insula_create_predictor(self, context: WorkerContext) -> Predictor:
        """Make the multiplier with what the hardware target says to this type."""
        options = context.assignment.options.get("multiply", {})
        return Predictor(Multiplier(context.api.predictor.settings.factor, options), completes=True)

    @hookimpl
    def insula_predict_batch(self, predictor: Predictor, payload: list[Any]) -> Predictions:
        """Multiply each number."""
        return Predictions.each([predictor.object(number) for number in payload])

    @hookimpl
    def insula_job_complete(self, context: WorkerContext) -> Completed:
        """Leave a note beside the results."""
        Path(context.job_spec["output"], "multiplied").touch()
        return COMPLETED


plugin = Multiply()
