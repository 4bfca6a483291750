"""TensorFlow's models on Neuron: AWS's build of TensorFlow Serving in place of the usual one, with cores of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs

from insula.descriptors import Assignment, Service, ServicesContext
from insula.errors import UserError
from insula_neuron.devices import VISIBLE, cores_per_chip

USUAL = "tensorflow_model_server"
# Of Inferentia1 (four cores a chip), and of Inferentia2 and Trainium.
SERVERS = ("tensorflow_model_server_neuron", "tensorflow_model_server_neuronx")
_INSTALL = (
    "tensorflow-model-server-neuronx from AWS's package repository; on Inferentia1, tensorflow-model-server-neuron"
)


def check(context: ServicesContext) -> None:
    """Check that models of the type `tensorflow` are served at all: in the workers they would run on the CPU.

    Raises:
        UserError: if they are not, or fewer addresses are given than there are workers.
    """
    section = context.api.raw["predictor"]
    if section["type"] != "tensorflow":
        return
    serving = section.get("tensorflow_serving") or {}
    addresses = [serving["address"]] if serving.get("address") else serving.get("addresses")
    if addresses is None and not (serving or section.get("server_side_batching")):
        raise UserError(
            "compute.inf: TensorFlow's models run on Neuron in AWS's build of TensorFlow Serving only: set "
            f"predictor.tensorflow_serving to {{server: {USUAL}}} and install the server ({_INSTALL}), or give addresses "
            "of servers that run elsewhere, one a worker"
        )
    if addresses is not None and len(addresses) < context.workers:
        raise UserError(
            f"compute.inf: {context.workers} workers and {len(addresses)} of predictor.tensorflow_serving.addresses: give one "
            "a worker, as a core belongs to one server"
        )


def adapt(
    service: Service, assignment: Assignment | None, environment: Mapping[str, str] = os.environ
) -> Service | None:
    """Return the service as AWS's server on the cores of an assignment; None if it is no TensorFlow Serving.

    One service for all workers becomes one for each, as a core belongs to one process.

    Args:
        environment: its `PATH` says where the servers are.

    Raises:
        UserError: if none is installed, or the models would be run by TensorFlow itself.
    """
    if service.name != "tensorflow":
        return None
    if Path(service.argv[0]).name != USUAL:
        raise UserError(
            "compute.inf: only AWS's build of TensorFlow Serving runs models on Neuron, and this one is to be served by "
            f"{Path(service.argv[0]).name}: set predictor.tensorflow_serving to {{server: {USUAL}}} or to addresses"
        )
    if assignment is None:
        return attrs.evolve(service, assignment=0)
    visible = assignment.environment.get(VISIBLE)
    own = {VISIBLE: visible} if visible else {}
    return attrs.evolve(
        service,
        argv=(_server(environment), *service.argv[1:]),
        environment={**service.environment, **own},
        assignment=assignment.worker,
    )


def _server(environment: Mapping[str, str]) -> str:
    for name in SERVERS if _cores_per_chip(environment) == 4 else SERVERS[::-1]:
        found = shutil.which(name, path=environment.get("PATH", ""))
        if found is not None:
            return found
    raise UserError(
        f"compute.inf: neither {' nor '.join(SERVERS)} is on the PATH: install it ({_INSTALL}), or give "
        "predictor.tensorflow_serving the addresses of servers that run elsewhere, one a worker"
    )


def _cores_per_chip(environment: Mapping[str, str]) -> int | None:
    try:
        return cores_per_chip(environment)
    except UserError:
        return None  # only needed to choose between two servers, where both are installed
