"""What plugins say of themselves, and the objects that their hooks answer with.

Hooks answer with an object of this module, never with a bare value: for pluggy `None` means "not mine", so a predictor
that returned None would be asked twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

from insula.records import frozen
from insula.spec import ApiSpec, ModelSpec

# ------------------------------------------------------------------------------------------------ descriptors


@frozen
class NoSettings:
    """The settings of a plugin that has none."""


@frozen
class PredictorType:
    """A predictor type: the word after `predictor.type`.

    Args:
        name: the word.
        class_name: the class that the user's file defines; None if there is no user code (and so no `predictor.path`).
        arguments: constructor arguments that the type adds to `config`, `api_spec`, `job_spec` (its client, say).
        settings: an attrs class whose attributes are the type's own keys of the `predictor` section.
        models: whether `models` or `model_path` may or must be given.
        hardware: hardware targets (beside `cpu`) that the type works with.
        template: a folder that `insula init` copies, None if there is none.
    """

    name: str
    class_name: str | None
    arguments: tuple[str, ...] = ()
    settings: type = NoSettings
    models: Literal["none", "optional", "required"] = "none"
    hardware: tuple[str, ...] = ()
    template: Path | None = None


@frozen
class HardwareTarget:
    """A hardware target: where a worker runs.

    Args:
        name: what messages and predictor types call it.
        keys: the keys of `compute` that select it.
        settings: an attrs class whose attributes are these keys; every attribute has a default.
        predictors: predictor types that it serves though they do not list it; `("*",)` means all.
        arguments: constructor arguments that it adds for predictors (`neuron_client`).
    """

    name: str
    keys: tuple[str, ...]
    settings: type
    predictors: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@frozen
class Source:
    """A source: a key of the submission that says where the samples are.

    Args:
        key: the key.
        settings: an attrs class for the value of the key; it has an attribute `batch_size`.
        inline: whether the submission carries the samples themselves, which predictors are then not shown.
    """

    key: str
    settings: type
    inline: bool = False


@frozen
class ExecutorType:
    """An executor: what starts workers and carries messages.

    Args:
        name: the word after `--executor`.
        shares_files: whether workers see the job's folder; if not, reports carry the encoded lines.
        places_devices: whether the engine assigns devices itself.
        concurrent: whether workers run beside the coordinator; if not, `send` runs the work.
    """

    name: str
    shares_files: bool = True
    places_devices: bool = False
    concurrent: bool = True


# ------------------------------------------------------------------------------------------------ hardware and services


@frozen
class Assignment:
    """What one worker is given.

    Args:
        worker: its number, from 0.
        environment: variables set before its interpreter starts; None removes one.
        devices: names of devices that it alone may use.
        options: by predictor type, what the target says to it (providers, say).
        cpu: its share of the cores, 1.0 being one core.
    """

    worker: int
    environment: Mapping[str, str | None] = attrs.field(factory=dict)
    devices: tuple[str, ...] = ()
    options: Mapping[str, Any] = attrs.field(factory=dict)
    cpu: float = 1.0


@frozen
class Service:
    """A server process that workers share; it is ready once its port accepts a connection.

    Args:
        name: what workers find its address under, in `context.services`: letters, digits, `_` and `-`.
        argv: the command. `{port}` in it becomes the port of 127.0.0.1 to listen on, `{folder}` a folder of its own in the
            job's, which is its working directory; so they do in the values of `environment` and in `files`. Other braces
            stay as they are.
        environment: variables laid over those that workers start from; if it serves one worker, over that worker's own.
        files: text files by name, written into its folder before every start.
        assignment: the number of the worker that it serves alone; None if it serves all of the job.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = attrs.field(factory=dict)
    files: Mapping[str, str] = attrs.field(factory=dict)
    assignment: int | None = None


# ------------------------------------------------------------------------------------------------ contexts


@frozen
class ServicesContext:
    """What a predictor type is given when it names its services.

    Args:
        api: the API's entry, its `predictor.settings` structured by the predictor type's own class.
        config: `predictor.config` merged under the submission's.
        project: the project folder, which relative paths start from.
        workers: how many workers the job has.
        cores: how many cores this process may use.
        models: the models of the API, in order, their paths local.
    """

    api: ApiSpec
    config: Mapping[str, Any]
    project: Path
    workers: int
    cores: int
    models: tuple[ModelSpec, ...] = ()


@frozen
class SplitContext:
    """What a source is given when it lists and splits.

    Args:
        settings: the source's own settings.
        project: the project folder, which relative paths start from.
        spool: a folder of the job in which the source may write files of its own.
    """

    settings: Any
    project: Path
    spool: Path


@frozen
class Position:
    """How far a split has come: the number of batches, of samples, and where the last batch ended."""

    batches: int
    samples: int
    input: int
    offset: int


@frozen
class WorkerContext:
    """What a worker's hooks are given.

    Args:
        api: the API's entry, its `predictor.settings` structured by the predictor type's own class.
        config: `predictor.config` merged under the submission's.
        job_spec: the plain dictionary that predictors get, complete once the input is split.
        project: the project folder, the worker's working directory.
        assignment: what this worker was given.
        services: address of each service, by name.
        models: the models of the API, in order, their paths local.
        worker: the worker's name, for messages.
    """

    api: ApiSpec
    config: Mapping[str, Any]
    job_spec: Mapping[str, Any]
    project: Path
    assignment: Assignment
    services: Mapping[str, str] = attrs.field(factory=dict)
    models: tuple[ModelSpec, ...] = ()
    worker: str = ""


# ------------------------------------------------------------------------------------------------ what hooks answer


@frozen
class Unreadable:
    """A sample that could not be read: its position in its batch, its raw bytes, and why."""

    position: int
    raw: bytes
    error: str


@frozen
class Payload:
    """The samples of one batch.

    Args:
        samples: what `predict` gets.
        positions: the position of each sample in its batch; None if they are 0, 1, 2, ….
        unreadable: what could not be read; `samples` and `unreadable` together are the batch.
        raw: the JSON text of each sample, on one line; None if the source has none.
        index: what the results call the first sample of the batch; None if that is its position in this job's input.
    """

    samples: list[Any]
    positions: Sequence[int] | None = None
    unreadable: tuple[Unreadable, ...] = ()
    raw: Sequence[bytes] | None = None
    index: int | None = None


@frozen
class Place:
    """Where a sample stands for a person: the name of its input, and its line, counted from 1; None if unknown."""

    source: str | None
    line: int | None


@frozen
class Model:
    """One loaded model, as its plugin wants it for its client."""

    name: str
    object: Any


@frozen
class Client:
    """What the predictor's constructor gets as `argument`; None when the API needs no client."""

    argument: str | None
    object: Any = None


NO_CLIENT = Client(argument=None)


@frozen
class Predictor:
    """The object whose `predict` the worker calls, and whether it has something to do when the job is complete."""

    object: Any
    completes: bool = False


@frozen
class Predictions:
    """What `predict` returned for one batch.

    Use the constructors: `each` is one value a sample, in order; `whole` one value for the batch; `stored` says that
    the predictor stored its output itself.
    """

    kind: Literal["each", "whole", "stored"]
    values: Any = None

    @classmethod
    def each(cls, values: Sequence[Any]) -> Predictions:
        """One prediction a sample: `values` has the length of the payload."""
        return cls("each", values)

    @classmethod
    def whole(cls, value: Any) -> Predictions:
        """One prediction for the whole batch."""
        return cls("whole", value)

    @classmethod
    def stored(cls) -> Predictions:
        """Nothing to store: the predictor did so itself."""
        return cls("stored")


class Completed:
    """The answer of `insula_job_complete`: it was done."""


COMPLETED = Completed()
