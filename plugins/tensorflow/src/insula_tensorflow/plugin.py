"""The predictor type `tensorflow`: the user's class gets a `tensorflow_client` that runs the API's SavedModels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from insula import hookimpl
from insula.descriptors import Assignment, Client, Model, PredictorType, Service, ServicesContext, WorkerContext
from insula.spec import ModelSpec
from insula_tensorflow.settings import Section

if TYPE_CHECKING:
    from insula_tensorflow.model import TensorFlowModel


class TensorFlowPlugin:
    """Brings up models, in the worker or on a server, and makes the client; everything else is the core's.

    Models are brought up by the preflight, which has no surer way to find out whether they can be, and handed over
    afterwards.
    """

    def __init__(self) -> None:
        self._ready: dict[str, list[TensorFlowModel]] = {}

    @hookimpl
    def insula_predictor_type(self) -> PredictorType:
        """Describe the predictor type."""
        return PredictorType(
            name="tensorflow",
            class_name="TensorFlowPredictor",
            arguments=("tensorflow_client",),
            settings=Section,
            models="optional",
            hardware=("gpu",),
        )

    @hookimpl
    def insula_services(self, context: ServicesContext, assignments: Sequence[Assignment]) -> list[Service]:
        """Name the server that the workers share, if there is one."""
        section: Section = context.api.predictor.settings
        if section.in_process:
            return []
        from insula_tensorflow.serving import services

        return services(context)

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> list[str]:
        """Bring up the models, and say of each that cannot be brought up why."""
        from insula_tensorflow.loading import load_all

        models, faults = load_all(context)
        if not faults:
            self._ready[context.worker] = models
        return faults

    @hookimpl
    def insula_load_model(self, context: WorkerContext, model: ModelSpec) -> Model:
        """Answer for a model that the preflight brought up; the client has it."""
        return Model(model.name, None)

    @hookimpl
    def insula_create_client(self, context: WorkerContext, models: Sequence[Model]) -> Client:
        """Make the `tensorflow_client`."""
        from insula_tensorflow.client import TensorFlowClient

        return Client("tensorflow_client", TensorFlowClient(self._ready.pop(context.worker)))


plugin = TensorFlowPlugin()
