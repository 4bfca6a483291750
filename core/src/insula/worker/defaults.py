"""What the core answers on the spine where no plugin does: the user's class is loaded, called, and told of the end."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from insula.descriptors import COMPLETED, NO_CLIENT, Client, Completed, Predictions, Predictor, WorkerContext
from insula.errors import ProjectError
from insula.hookspecs import hookimpl
from insula.project.contract import CONSTRUCTOR, PREDICT, UNUSED, CallPlan, bind, plan
from insula.worker.log_lines import LogLines
from insula.worker.outcome import interpret
from insula.worker.user_class import extend_path, import_class


class Defaults:
    """The core's own plugin in a worker, asked last.

    Attributes:
        class_name: of the user's class; None if the predictor type needs none.
        arguments: constructor arguments beyond the contract's own.
        needs_total: whether the constructor takes `job_spec`, which is complete only when the input is split.
        log: how this worker's log reads.
    """

    def __init__(self) -> None:
        self.class_name: str | None = None
        self.arguments: tuple[str, ...] = ()
        self.needs_total = False
        self.log = LogLines()
        self._make: Callable[[Mapping[str, Any]], Any] | None = None
        self._predict: Callable[[list[Any], str], Any] | None = None
        self._returns: Any = "auto"

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> Sequence[str]:
        """Import the user's class and look at its signatures."""
        spec = context.api.predictor
        self.log.install(spec.log_level.upper())
        if self.class_name is None:
            return []
        extend_path(context.project, spec.python_path)
        faults: list[str] = []
        try:
            found = import_class(context.project, spec.path or "", self.class_name)
        except ProjectError as error:
            return [str(error)]
        for check in (self._plan_constructor, self._check_predict, self._check_completion):
            try:
                check(found)
            except ProjectError as error:
                faults.append(f"{spec.path}: {error}")
        return faults

    def _plan_constructor(self, found: Any) -> None:
        if found.__init__ is object.__init__ and found.__new__ is object.__new__:
            self._make = lambda values: found()
            return
        # Where there is both, `__new__` mostly takes whatever it gets: `__init__` knows better what is wanted.
        made_by_init = found.__init__ is not object.__init__
        function = functools.partial(found.__init__, None) if made_by_init else found
        planned = plan(function, (*self.arguments, *CONSTRUCTOR), f"{found.__name__}.__init__")
        self.needs_total = planned.takes("job_spec")
        self._make = bind(planned, found)

    def _check_predict(self, found: type) -> None:
        if not callable(getattr(found, "predict", None)):
            raise ProjectError(f"{found.__name__} has no method predict")
        plan(_method(found, "predict"), PREDICT, f"{found.__name__}.predict")

    def _check_completion(self, found: type) -> None:
        # At the end of a job of many hours it would be late to find out.
        if callable(getattr(found, "on_job_complete", None)):
            plan(_method(found, "on_job_complete"), (), f"{found.__name__}.on_job_complete")

    @hookimpl
    def insula_create_client(self) -> Client:
        """Need no client."""
        return NO_CLIENT

    @hookimpl
    def insula_create_predictor(self, context: WorkerContext, client: Client) -> Predictor | None:
        """Construct the user's class with what it takes."""
        if self._make is None:
            return None
        values: dict[str, Any] = dict.fromkeys(self.arguments)
        values |= {"config": context.config, "api_spec": context.api.raw, "job_spec": context.job_spec}
        if client.argument is not None:
            values[client.argument] = client.object
        made = self._make(values)
        planned = plan(made.predict, PREDICT, f"{type(made).__name__}.predict")
        self._predict = _bind_predict(planned, made.predict)
        self._returns = context.api.predictor.returns
        return Predictor(made, completes=callable(getattr(made, "on_job_complete", None)))

    @hookimpl
    def insula_predict_batch(
        self, context: WorkerContext, predictor: Predictor, payload: list[Any], batch_id: str
    ) -> Predictions | None:
        """Call `predict` and take what it returns for what it is."""
        if self._predict is None:
            return None
        count = len(payload)
        return interpret(self._predict(payload, batch_id), self._returns, count)

    @hookimpl
    def insula_job_complete(self, predictor: Predictor) -> Completed:
        """Call `on_job_complete` if there is one."""
        if predictor.completes:
            predictor.object.on_job_complete()
        return COMPLETED


def _bind_predict(planned: CallPlan, predict: Callable[..., Any]) -> Callable[[list[Any], str], Any]:
    """Return a call of `predict` by its plan; the usual signatures without a dictionary, as it is made once a batch."""
    if planned.positional or set(planned.keywords) - {"payload", "batch_id"}:
        call = bind(planned, predict)
        return lambda payload, batch_id: call({**UNUSED, "payload": payload, "batch_id": batch_id})
    if len(planned.keywords) == 2:
        return lambda payload, batch_id: predict(payload=payload, batch_id=batch_id)
    if planned.keywords == ("payload",):
        return lambda payload, batch_id: predict(payload=payload)
    return lambda payload, batch_id: predict(**dict.fromkeys(planned.keywords, batch_id))


def _method(found: type, name: str) -> Callable[..., Any]:
    """Return a method of a class as an object of the class would have it.

    Raises:
        ProjectError: if calling it does not run it.
    """
    method: Callable[..., Any] = getattr(found, name)
    kinds = (
        (inspect.iscoroutinefunction, "an async function"),
        (inspect.isasyncgenfunction, "an async generator"),
        (inspect.isgeneratorfunction, "a generator"),
    )
    for is_kind, what in kinds:
        if is_kind(method):
            raise ProjectError(f"{found.__name__}.{name} is {what}; write a plain function that returns its result")
    bound = isinstance(inspect.getattr_static(found, name), (staticmethod, classmethod))
    return method if bound else functools.partial(method, None)
