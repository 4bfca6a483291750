"""The hooks of insula: what a plugin may answer.

A plugin is any object (a module, or an instance of a class) with functions marked `@insula.hookimpl`. Parameters may be
left out; none has a default. The answers are the objects of `insula.descriptors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pluggy

from insula.descriptors import (
    Assignment,
    Client,
    Completed,
    ExecutorType,
    HardwareTarget,
    Model,
    Payload,
    Place,
    Position,
    Predictions,
    Predictor,
    PredictorType,
    Service,
    ServicesContext,
    Source,
    SplitContext,
    WorkerContext,
)
from insula.spec import BatchRef, Block, ComputeSpec, Input, ModelSpec, Slice

hookspec = pluggy.HookspecMarker("insula")
hookimpl = pluggy.HookimplMarker("insula")

# ------------------------------------------------------------------------------------------------ descriptors


@hookspec(firstresult=True)
def insula_predictor_type() -> PredictorType | None:
    """Describe a predictor type, importing no framework."""


@hookspec(firstresult=True)
def insula_hardware_target() -> HardwareTarget | None:
    """Describe a hardware target, importing no framework."""


@hookspec(firstresult=True)
def insula_source() -> Source | None:
    """Describe a source."""


@hookspec(firstresult=True)
def insula_executor() -> ExecutorType | None:
    """Describe an executor."""


# ------------------------------------------------------------------------------------------------ coordinator


@hookspec(firstresult=True)
def insula_list(context: SplitContext) -> Iterable[Input] | None:
    """List the inputs, in the order in which they will be split.

    Called once a job. What has no byte ranges of its own (inline items, a listing) is written into `context.spool`.
    """


@hookspec(firstresult=True)
def insula_split(context: SplitContext, inputs: Sequence[Input], after: Position | None) -> Iterator[Block] | None:
    """Yield the batches, as blocks, from `after` on (None: from the beginning).

    The same inputs always give the same blocks. Called from a thread of the coordinator.
    """


@hookspec(firstresult=True)
def insula_assign_devices(compute: ComputeSpec, workers: int | None) -> Sequence[Assignment] | None:
    """Give each worker its devices and environment: one assignment a worker.

    Args:
        workers: how many are asked for; None asks for as many as the devices carry.

    Raises:
        UserError: if there are not enough devices, saying how many there are.
    """


@hookspec(firstresult=True)
def insula_resources(compute: ComputeSpec) -> Mapping[str, float] | None:
    """Say what an engine that places workers itself should be asked for, such as `{"GPU": 1}`."""


@hookspec(firstresult=True)
def insula_services(context: ServicesContext, assignments: Sequence[Assignment]) -> Sequence[Service] | None:
    """Name the server processes that the workers share; None or nothing if there are none.

    Called once in each life of a coordinator, before any worker starts, and by `insula check`, which starts none.

    Raises:
        UserError: if a service cannot be started here (its program is not installed, say).
    """


@hookspec(firstresult=True)
def insula_adapt_service(service: Service, assignment: Assignment | None) -> Service | None:
    """Change one service for the hardware: its command, its environment, or whom it serves; None leaves it as it is.

    A service that serves all, answered with any `assignment`, becomes one for each worker: this hook is asked again for
    each of them, with the service's `assignment` set to that worker's number.

    Args:
        assignment: of the worker that it serves alone; None if it serves all.

    Raises:
        UserError: if the hardware cannot carry it.
    """


@hookspec(firstresult=True)
def insula_create_executor(options: Mapping[str, Any]) -> Any:
    """Make an `insula.executors.Executor`."""


@hookspec(firstresult=True)
def insula_locate(
    inputs: Mapping[int, Input], block: Slice, ordinal: int, positions: Sequence[int]
) -> Sequence[Place] | None:
    """Say where samples of one batch stand, for dead letters: their file and line, as a person counts.

    Args:
        block: the whole block that the batch is in.
        ordinal: the batch.
        positions: the samples' positions in it, ascending.
    """


# ------------------------------------------------------------------------------------------------ worker


@hookspec
def insula_preflight(context: WorkerContext) -> Sequence[str] | None:
    """Find faults that only this interpreter can see (frameworks, providers, model files), each as one message.

    Called before anything is loaded; an empty answer means that nothing is wrong.
    """


@hookspec(firstresult=True)
def insula_read(inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload] | None:
    """Yield the payload of each reference, in order.

    Raises:
        InputChangedError: if an input is no longer what was listed.
    """


@hookspec(firstresult=True)
def insula_load_model(context: WorkerContext, model: ModelSpec) -> Model | None:
    """Load one model. Called once a model, before the client is made."""


@hookspec(firstresult=True)
def insula_create_client(context: WorkerContext, models: Sequence[Model]) -> Client | None:
    """Make what the predictor calls to run its models. Called once a worker."""


@hookspec(firstresult=True)
def insula_create_predictor(context: WorkerContext, client: Client) -> Predictor | None:
    """Make the predictor. Called once a worker."""


@hookspec(firstresult=True)
def insula_predict_batch(
    context: WorkerContext, predictor: Predictor, payload: list[Any], batch_id: str
) -> Predictions | None:
    """Predict one batch. Called once a batch (again after a failure, with the same `batch_id`)."""


@hookspec(firstresult=True)
def insula_job_complete(context: WorkerContext, predictor: Predictor) -> Completed | None:
    """Do what is left when every batch is settled. Called in one worker."""
