"""The hardware target `inf`: Neuron cores for each worker, and a `neuron_client` for models compiled for them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from insula import hookimpl
from insula.descriptors import Assignment, Client, HardwareTarget, Model, Service, ServicesContext, WorkerContext
from insula.hardware.cores import available_cores
from insula.spec import ComputeSpec, ModelSpec
from insula_neuron.settings import DEAD, Section

if TYPE_CHECKING:
    from insula_neuron.model import NeuronModel

_log = logging.getLogger(__name__)


class NeuronPlugin:
    """Assigns cores, loads models of Python predictors, and has TensorFlow served by AWS's server.

    A model is loaded by the preflight, which has no surer way to find out whether it can be, and handed over afterwards.
    """

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], NeuronModel] = {}

    @hookimpl
    def insula_hardware_target(self) -> HardwareTarget:
        """Describe the target."""
        return HardwareTarget(
            name="inf",
            keys=("inf", "neuron_cores", "neuron"),
            settings=Section,
            predictors=("python", "tensorflow"),
            arguments=("neuron_client",),
        )

    # -------------------------------------------------------------------------------------------- coordinator

    @hookimpl
    def insula_assign_devices(self, compute: ComputeSpec, workers: int | None) -> Sequence[Assignment] | None:
        """Give each worker its chips or cores; as many workers as they carry, if none are asked for."""
        from insula.hardware.locks import in_use
        from insula_neuron import assigning, devices

        asked = assigning.wanted(compute)
        if asked is None:
            return None
        for name in DEAD:
            if name in os.environ:
                _log.warning("%s is set, which Neuron's runtime no longer reads: workers start without it", name)
        return assigning.assign(compute, asked, workers, devices.find(), available_cores(), in_use)

    @hookimpl
    def insula_resources(self, compute: ComputeSpec) -> Mapping[str, float] | None:
        """Ask for the cores of a worker, and cores of the host, one if `compute.cpu` is unset."""
        from insula_neuron import assigning, devices

        asked = assigning.wanted(compute)
        if asked is None:
            return None
        cores = asked.each * devices.cores_per_chip() if asked.noun == "chip" else asked.each
        return {"neuron_cores": cores, "CPU": compute.cpu or 1.0}

    @hookimpl
    def insula_services(self, context: ServicesContext) -> None:
        """Name none, but refuse TensorFlow's models where nobody would serve them on Neuron."""
        from insula_neuron.serving import check

        _warn_of_dead(context)
        check(context)

    @hookimpl
    def insula_adapt_service(self, service: Service, assignment: Assignment | None) -> Service | None:
        """Have TensorFlow's models served on the cores of an assignment."""
        from insula_neuron.serving import adapt

        return adapt(service, assignment)

    # -------------------------------------------------------------------------------------------- worker

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> list[str]:
        """Load the models of a Python predictor, and say of each that cannot be loaded why."""
        if not _ours(context):
            return []
        from insula_neuron.loading import load_all

        models, faults = load_all(context)
        self._loaded |= {(context.worker, name): model for name, model in models.items()}
        return faults

    @hookimpl
    def insula_load_model(self, context: WorkerContext, model: ModelSpec) -> Model | None:
        """Hand over what the preflight loaded."""
        return Model(model.name, self._loaded.pop((context.worker, model.name))) if _ours(context) else None

    @hookimpl
    def insula_create_client(self, context: WorkerContext, models: Sequence[Model]) -> Client | None:
        """Make the `neuron_client`; a predictor that loads its models itself needs none."""
        if not _ours(context):
            return None
        from insula_neuron.client import NeuronClient

        return Client("neuron_client", NeuronClient([model.object for model in models]))


def _warn_of_dead(context: ServicesContext) -> None:
    from insula.project.dotenv import read_dotenv

    given = context.api.predictor.env
    given = {**given, **read_dotenv(context.project, {**os.environ, **given})}
    for name in DEAD:
        if name in given:
            _log.warning("the project sets %s, which Neuron's runtime no longer reads: workers start without it", name)


def _ours(context: WorkerContext) -> bool:
    """Whether the models are compiled TorchScript: those of other predictor types are theirs to load."""
    return context.api.predictor.type == "python" and bool(context.models)


plugin = NeuronPlugin()
