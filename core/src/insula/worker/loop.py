"""The worker: one predictor, and the frames that it answers.

A plain object without a loop, thread or socket of its own, so that a process, the coordinator itself or an engine's actor can
hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from insula import __version__, plugins
from insula.descriptors import Assignment, Predictor, WorkerContext
from insula.errors import UserError
from insula.hooks import Hooks
from insula.project.files import changed_files
from insula.results.parts import PartWriter
from insula.spec import Input
from insula.spec.plain import from_plain
from insula.worker.apis import api_from_plain
from insula.worker.cell import Cell
from insula.worker.defaults import Defaults
from insula.worker.leases import Leases
from insula.worker.predicting import Predicting
from insula.worker.protocol import VERSION
from insula.worker.reading import Reader
from insula.worker.setup import Setup
from insula.worker.tracebacks import describe
from insula.worker.writing import Send, Writer

if TYPE_CHECKING:
    from insula.hardware.locks import DeviceLocks


class Worker:
    """Answers frames; see `insula.worker.protocol`.

    Args:
        send: sends a frame to the coordinator.
        make_writer: makes what writes reports, from the part writer and `send`.
        passing: exceptions that say nothing of user code but end whatever runs: Ctrl-C, where this is its process.
    """

    def __init__(
        self,
        send: Send,
        make_writer: Callable[[PartWriter, Send], Writer] = Writer,
        passing: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._send = send
        self._make_writer = make_writer
        self._passing = passing
        self._job_spec: dict[str, Any] = {}
        self._leases: Leases | None = None
        self._devices: DeviceLocks | None = None

    def handle(self, frame: Mapping[str, Any]) -> bool:
        """Answer one frame; return whether the worker goes on."""
        answer = getattr(self, f"_on_{frame['type']}")(frame)
        return answer is not False

    # ------------------------------------------------------------------------------------------ starting

    def _on_setup(self, frame: Mapping[str, Any]) -> bool:
        self._send({"type": "hello", "version": __version__, "protocol": VERSION})
        if (frame["version"], frame["protocol"]) != (__version__, VERSION):
            return self._refuse([f"the worker has insula {__version__}, the coordinator insula {frame['version']}"])
        self._setup = setup = Setup.from_frame(frame)
        if changed := changed_files(Path(setup.project), setup.fingerprint):
            return self._refuse([
                f"the project changed since the job began: {', '.join(changed)}; "
                "undo the change, or accept it with `insula resume --changed`"
            ])  # fmt: skip
        try:
            self._take_devices(setup)
            self._defaults = Defaults()
            self._hooks = self._compose(setup)
            self._context = self._make_context(setup)
            faults = self._hooks.preflight(self._context)
        except UserError as error:
            return self._refuse([str(error)])
        if faults:
            return self._refuse(faults)
        self._send({"type": "checked", "faults": [], "needs_total": self._defaults.needs_total})
        return self._defaults.needs_total or self._construct()

    def _take_devices(self, setup: Setup) -> None:
        if setup.assignment["devices"]:
            from insula.hardware.locks import take

            self._devices = take(setup.assignment["devices"], setup.job_spec["job_id"], setup.name)

    def release(self) -> None:
        """Give the devices back; a process that ends has done so."""
        if self._devices is not None:
            self._devices.release()

    def _refuse(self, faults: list[str]) -> bool:
        self._send({"type": "checked", "faults": faults, "needs_total": False})
        return False

    def _compose(self, setup: Setup) -> Hooks:
        named = (setup.predictor, setup.hardware, setup.source)
        self._plugins = {reference.group: plugins.load(reference) for reference in named}
        together = [(str(reference), self._plugins[reference.group]) for reference in named]
        return plugins.compose(together, defaults=[("insula", self._defaults)])

    def _make_context(self, setup: Setup) -> WorkerContext:
        kind = plugins.predictor_type(setup.predictor, self._plugins[setup.predictor.group])
        target = plugins.hardware_target(setup.hardware, self._plugins[setup.hardware.group])
        api = api_from_plain(setup.api, kind, target)
        self._defaults.arguments = (*kind.arguments, *target.arguments)
        self._defaults.class_name = kind.class_name
        self._job_spec.update(setup.job_spec)
        return WorkerContext(
            api=api,
            config=setup.config,
            job_spec=self._job_spec,
            project=Path(setup.project),
            assignment=from_plain(Assignment, setup.assignment),
            services=setup.services,
            models=api.predictor.models.listed,
            worker=setup.name,
        )

    def _on_total(self, frame: Mapping[str, Any]) -> bool:
        self._job_spec.update(frame["job_spec"])
        return not self._defaults.needs_total or self._construct()

    def _construct(self) -> bool:
        context, hooks, setup = self._context, self._hooks, self._setup
        try:
            models = [hooks.load_model(context, model) for model in context.models]
            self._predictor: Predictor = hooks.create_predictor(context, hooks.create_client(context, models))
        except self._passing:
            raise
        except BaseException as error:
            self._send({"type": "broken", "error": attrs.astuple(describe(error))})
            return False
        self._writer = self._make_writer(PartWriter(Path(setup.parts), setup.name), self._send)
        self._send({"type": "ready", "completes": self._predictor.completes})
        return True

    def _on_inputs(self, frame: Mapping[str, Any]) -> None:
        inputs = {number: Input(*row) for number, row in enumerate(frame["inputs"])}
        cell = self._defaults.log.cell = Cell(Path(self._setup.cell))
        setup = self._setup
        predicting = Predicting(
            self._hooks, self._context, self._predictor, cell, setup.batch_prefix, setup.join_input, self._passing
        )
        self._leases = Leases(Reader(self._hooks, inputs, cell), predicting, self._writer)

    # ------------------------------------------------------------------------------------------ working

    def overtake(self, frame: Mapping[str, Any]) -> None:
        """Obey `halt` and `drop` at once, whatever runs or waits; called from any thread, with every frame."""
        if self._leases is not None:
            if frame["type"] == "halt":
                self._leases.halted = True
            elif frame["type"] == "drop":
                self._leases.dropped.add(frame["lease"])

    def _on_halt(self, frame: Mapping[str, Any]) -> None:
        self.overtake(frame)

    def _on_drop(self, frame: Mapping[str, Any]) -> None:
        self.overtake(frame)

    def _on_lease(self, frame: Mapping[str, Any]) -> None:
        assert self._leases is not None, "the inputs come before the first lease"
        self._leases.run(frame)

    def _on_complete(self, frame: Mapping[str, Any]) -> None:
        self._writer.drain()
        self._job_spec.update(frame["job_spec"])
        try:
            self._hooks.job_complete(self._context, self._predictor)
        except self._passing:
            raise
        except BaseException as error:
            self._send({"type": "completed", "error": attrs.astuple(describe(error))})
        else:
            self._send({"type": "completed", "error": None})

    def _on_finish(self, frame: Mapping[str, Any]) -> bool:
        self._writer.close()
        self._send({"type": "bye"})
        return False
