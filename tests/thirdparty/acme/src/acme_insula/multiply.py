"""The predictor type `multiply`: no user code, a factor in the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from insula import hookimpl
from insula.descriptors import (
    COMPLETED,
    Assignment,
    Completed,
    Predictions,
    Predictor,
    PredictorType,
    Service,
    ServicesContext,
    WorkerContext,
)


@attrs.frozen
class Settings:
    """The type's own keys of the `predictor` section."""

    factor: int = 2
    served: bool = False


@attrs.frozen
class Multiplier:
    """What is called for a batch."""

    factor: int
    options: Mapping[str, Any]
    address: str | None = None

    def __call__(self, number: int) -> dict[str, Any]:
        """Return the product, and where it was computed."""
        return {
            "product": number * self.factor,
            "on": self.options.get("on", "cpu"),
            "by": os.environ.get("MARKED_BY"),
            **({} if self.address is None else ask(self.address)),
        }


def ask(address: str) -> dict[str, Any]:
    """Return what the server of this worker says of itself."""
    import json
    import urllib.request

    with urllib.request.urlopen(f"http://{address}", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


class Multiply:
    """Multiplies numbers."""

    @hookimpl
    def insula_predictor_type(self) -> PredictorType:
        """Describe the type."""
        return PredictorType("multiply", class_name=None, settings=Settings, hardware=("abacus",))

    @hookimpl
    def insula_services(self, context: ServicesContext, assignments: Sequence[Assignment]) -> Sequence[Service]:
        """Name a server that says who it is, if one is asked for."""
        argv = (sys.executable, "-m", "acme_insula.saying", "{port}")
        return [Service("saying", argv, {"SAYS": "one for all"})] if context.api.predictor.settings.served else []

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> Sequence[str]:
        """Refuse a factor that makes nothing of everything."""
        return ["predictor.factor: 0 would leave nothing"] if context.api.predictor.settings.factor == 0 else []

    @hookimpl
    def insula_create_predictor(self, context: WorkerContext) -> Predictor:
        """Make the multiplier with what the hardware target says to this type."""
        options = context.assignment.options.get("multiply", {})
        multiplier = Multiplier(context.api.predictor.settings.factor, options, context.services.get("saying"))
        return Predictor(multiplier, completes=True)

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
