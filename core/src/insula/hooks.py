"""The typed front of the hooks: one method a hook, its answer checked, over the plugins of one job or worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

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
from insula.errors import PluginError, UserError
from insula.spec import BatchRef, Block, ComputeSpec, Input, ModelSpec, Slice

Answer = TypeVar("Answer")


class PredictBatch(Protocol):
    """The call of `insula_predict_batch`: by keyword, its answer unchecked."""

    def __call__(
        self, *, context: WorkerContext, predictor: Predictor, payload: list[Any], batch_id: str
    ) -> Predictions | None:
        """Ask the plugins."""


class Read(Protocol):
    """The call of `insula_read`: by keyword, its answer unchecked."""

    def __call__(self, *, inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload] | None:
        """Ask the plugins."""


class Hooks:
    """Calls the plugins of one manager, the last one registered first.

    What a plugin raises passes through. An answer of a wrong type is a `PluginError`, and so is none where one is needed.

    Attributes:
        predict_batch, read: the hooks that are called all the time, bare: nothing stands between caller and plugins, so
            the caller checks what they answer (and raises `wrong_answer`).
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._hook = manager.hook
        self.predict_batch: PredictBatch = _bare(manager.hook.insula_predict_batch)
        self.read: Read = _bare(manager.hook.insula_read)

    # -------------------------------------------------------------------------------------------- descriptors

    def predictor_type(self) -> PredictorType:
        """Describe the predictor type."""
        return self._one("insula_predictor_type", PredictorType, self._hook.insula_predictor_type())

    def hardware_target(self) -> HardwareTarget:
        """Describe the hardware target."""
        return self._one("insula_hardware_target", HardwareTarget, self._hook.insula_hardware_target())

    def source(self) -> Source:
        """Describe the source."""
        return self._one("insula_source", Source, self._hook.insula_source())

    def executor(self) -> ExecutorType:
        """Describe the executor."""
        return self._one("insula_executor", ExecutorType, self._hook.insula_executor())

    # -------------------------------------------------------------------------------------------- coordinator

    def list_inputs(self, context: SplitContext) -> Iterable[Input]:
        """List the inputs, in the order in which they will be split."""
        answer = self._hook.insula_list(context=context)
        return self._one("insula_list", Iterable, answer)  # type: ignore[type-abstract]

    def split(self, context: SplitContext, inputs: Sequence[Input], after: Position | None) -> Iterator[Block]:
        """Yield the batches, as blocks, from `after` on (None: from the beginning)."""
        answer = self._hook.insula_split(context=context, inputs=inputs, after=after)
        return iter(self._one("insula_split", Iterable, answer))  # type: ignore[type-abstract]

    def assign_devices(self, compute: ComputeSpec, workers: int | None) -> Sequence[Assignment]:
        """Give each worker its devices and environment: one assignment a worker, at least one."""
        hook = "insula_assign_devices"
        answer = self._all(hook, Assignment, self._hook.insula_assign_devices(compute=compute, workers=workers))
        if len(answer) == workers or (answer and workers is None):
            return answer
        asked = "at least 1" if workers is None else str(workers)
        raise PluginError(f"{self.asked(hook)} answered {hook} with {len(answer)} assignments, not {asked}")

    def resources(self, compute: ComputeSpec) -> Mapping[str, float]:
        """Say what an engine that places workers itself should be asked for; nothing if no plugin answers."""
        answer = self._hook.insula_resources(compute=compute)
        return {} if answer is None else self._one("insula_resources", Mapping, answer)  # type: ignore[type-abstract]

    @property
    def names_services(self) -> bool:
        """Whether any plugin could name services."""
        return bool(self._hook.insula_services.get_hookimpls())

    def services(self, context: ServicesContext, assignments: Sequence[Assignment]) -> Sequence[Service]:
        """Name the server processes that the workers share; none if no plugin answers."""
        answer = self._hook.insula_services(context=context, assignments=assignments)
        return () if answer is None else self._all("insula_services", Service, answer)

    def adapt_service(self, service: Service, assignment: Assignment | None) -> Service:
        """Change one service for the hardware; as it is if no plugin answers."""
        answer = self._hook.insula_adapt_service(service=service, assignment=assignment)
        return service if answer is None else self._one("insula_adapt_service", Service, answer)

    def create_executor(self, options: Mapping[str, Any]) -> Any:
        """Make the executor."""
        return self._one("insula_create_executor", object, self._hook.insula_create_executor(options=options))

    def locate(
        self, inputs: Mapping[int, Input], block: Slice, ordinal: int, positions: Sequence[int]
    ) -> Sequence[Place]:
        """Say where samples of one batch stand; nowhere if no plugin answers."""
        answer = self._hook.insula_locate(inputs=inputs, block=block, ordinal=ordinal, positions=positions)
        return [Place(None, None)] * len(positions) if answer is None else self._all("insula_locate", Place, answer)

    # -------------------------------------------------------------------------------------------- worker

    def preflight(self, context: WorkerContext) -> list[str]:
        """Collect what is wrong with this interpreter from every plugin, the default first.

        A plugin that raises adds a message, and silences no other.
        """
        faults: list[str] = []
        for implementation in self._hook.insula_preflight.get_hookimpls():
            arguments = {"context": context} if "context" in implementation.argnames else {}
            try:
                faults += self._messages(implementation.function(**arguments), implementation.plugin_name)
            except UserError as error:
                faults.append(str(error))
            except Exception as error:  # noqa: BLE001 (reported as a fault, after the others were asked)
                faults.append(_raised(implementation.plugin_name, "insula_preflight", error))
        return faults

    def load_model(self, context: WorkerContext, model: ModelSpec) -> Model:
        """Load one model."""
        return self._one("insula_load_model", Model, self._hook.insula_load_model(context=context, model=model))

    def create_client(self, context: WorkerContext, models: Sequence[Model]) -> Client:
        """Make what the predictor calls to run its models."""
        answer = self._hook.insula_create_client(context=context, models=models)
        return self._one("insula_create_client", Client, answer)

    def create_predictor(self, context: WorkerContext, client: Client) -> Predictor:
        """Make the predictor."""
        answer = self._hook.insula_create_predictor(context=context, client=client)
        return self._one("insula_create_predictor", Predictor, answer)

    def job_complete(self, context: WorkerContext, predictor: Predictor) -> Completed:
        """Do what is left when every batch is settled."""
        answer = self._hook.insula_job_complete(context=context, predictor=predictor)
        return self._one("insula_job_complete", Completed, answer)

    # -------------------------------------------------------------------------------------------- answers

    def wrong_answer(self, hook: str, expected: type, answer: object) -> PluginError:
        """Return the error for an answer that is not of the expected type, naming the plugins that were asked."""
        if answer is None:
            return PluginError(f"no plugin answered {hook} (asked: {self.asked(hook)})")
        what = f"an object of {_name(type(answer))}, not of {_name(expected)}"
        return PluginError(f"{self.asked(hook)} answered {hook} with {what}")

    def _one(self, hook: str, expected: type[Answer], answer: object) -> Answer:
        if answer is not None and isinstance(answer, expected):
            return answer
        raise self.wrong_answer(hook, expected, answer)

    def _all(self, hook: str, expected: type[Answer], answer: object) -> Sequence[Answer]:
        if not isinstance(answer, (list, tuple)):
            raise self.wrong_answer(hook, list, answer)
        return [self._one(hook, expected, one) for one in answer]

    def _messages(self, answer: object, plugin: str) -> Sequence[str]:
        if answer is None:
            return ()
        if isinstance(answer, (list, tuple)) and all(isinstance(message, str) for message in answer):
            return answer
        return (f"{plugin} answered insula_preflight with {answer!r:.100}, not with a list of messages",)

    def asked(self, hook: str) -> str:
        """Return who has a hook, for messages, the first that is asked first."""
        plugins = [one.plugin_name for one in reversed(getattr(self._hook, hook).get_hookimpls())]
        return " or ".join(plugins) or "none, since none has this hook"


def _bare(hook: pluggy.HookCaller) -> Any:
    """Return a hook's only implementation where it takes all that the hook offers: pluggy has nothing to add to it.

    A call through pluggy takes 1.3 µs more, once a batch.
    """
    implementations = hook.get_hookimpls()
    if len(implementations) != 1 or hook.spec is None:
        return hook
    (only,) = implementations
    whole = set(only.argnames) == set(hook.spec.argnames)
    return only.function if whole and not (only.wrapper or only.hookwrapper) else hook


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _raised(plugin: str, hook: str, error: Exception) -> str:
    # A fault found by raising is the plugin's own: its author needs the place, the user needs only to know whose it is.
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    place = f" ({Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno})" if last else ""
    return f"{plugin}: {hook} raised {type(error).__name__}: {error}{place}"
