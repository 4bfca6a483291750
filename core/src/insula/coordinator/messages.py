"""What workers say, and how they end: turned into changes of the job's work and crew."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from insula.coordinator.crew import Crew
from insula.coordinator.ending import Ending
from insula.coordinator.failures import Error
from insula.coordinator.job import Job
from insula.coordinator.leases import Member
from insula.coordinator.limits import Limits
from insula.coordinator.work import Work
from insula.errors import OutputError, WorkerFault
from insula.events import EventLog
from insula.executors.interface import Cause, Died, Executor, Frame
from insula.ledger import Ledger
from insula.results.export import Exporter
from insula.spec import Input
from insula.worker.cell import Doing, look

# Signals that an operator or the kernel sends for reasons that are not the batch's.
_UNEXPLAINED = {signal.SIGKILL, signal.SIGTERM}


class Messages:
    """Takes in frames and deaths.

    Attributes:
        inputs: what the job reads, which workers are told before their first lease.
        ending: how the job ends, once a worker said that it is complete, or why not.
        last_failure: why the last worker died, if one did.
    """

    def __init__(
        self,
        job: Job,
        ledger: Ledger,
        exporter: Exporter,
        executor: Executor,
        events: EventLog,
        crew: Crew,
        work: Work,
        limits: Limits,
    ) -> None:
        self._job = job
        self._ledger = ledger
        self._exporter = exporter
        self._executor = executor
        self._events = events
        self._crew = crew
        self._work = work
        self._limits = limits
        self.inputs: Sequence[Input] = ()
        self.ending: Ending | None = None
        self.last_failure: Error | None = None

    def take(self, found: Frame | Died) -> None:
        """Take in a frame of a worker, or its death.

        Raises:
            WorkerFault: if a worker found that none of its kind could serve the job.
            OutputError: if a worker cannot write its results.
        """
        member = self._crew.find(found.handle)
        if member is None:
            return
        if isinstance(found, Died):
            self._died(member, found)
        else:
            getattr(self, f"_on_{found.frame['type']}")(member, found.frame)

    def _on_hello(self, member: Member, frame: Mapping[str, Any]) -> None:
        pass  # a worker of another version refuses by itself, in `checked`

    def _on_checked(self, member: Member, frame: Mapping[str, Any]) -> None:
        if frame["faults"]:
            raise WorkerFault("\n".join(frame["faults"]))
        if not frame["needs_total"]:
            member.enter("constructing", time.monotonic())
        elif self._ledger.state.split_done:
            self.construct(member)
        else:
            member.enter("checked", time.monotonic())

    def construct(self, member: Member) -> None:
        """Have a worker make its predictor, which is to know the total."""
        member.enter("constructing", time.monotonic())
        self._executor.send(member.handle, {"type": "total", "job_spec": self.job_spec()})

    def job_spec(self) -> dict[str, Any]:
        """Return what predictors are shown of the job, with the total."""
        return {**self._job.job_spec, "total_batch_count": self._ledger.state.batches}

    def _on_ready(self, member: Member, frame: Mapping[str, Any]) -> None:
        member.enter("ready", time.monotonic())
        self._ledger.state.completes = frame["completes"]
        inputs = [attrs.astuple(one) for one in self.inputs]
        self._executor.send(member.handle, {"type": "inputs", "inputs": inputs})
        self._events.emit("worker_ready", worker=member.seat, name=member.name)

    def _on_broken(self, member: Member, frame: Mapping[str, Any]) -> None:
        member.failure = frame["error"]
        self.last_failure = Error(*frame["error"])
        self._events.emit("worker_broken", worker=member.seat, error=": ".join(frame["error"][:2]))

    def _on_unwritable(self, member: Member, frame: Mapping[str, Any]) -> None:
        cause = OSError(frame["errno"], frame["error"][1])
        raise OutputError(f"a worker cannot write its results: {frame['error'][1]}") from cause

    def _on_report(self, member: Member, frame: Mapping[str, Any]) -> None:
        parts = {row[2] for row in frame["rows"] if row[2]}
        if frame.get("closed"):
            self._exporter.part_closed(frame["closed"])
        for part in parts:
            member.current_part = part
        if self._work.report(member, frame):
            self._crew.settled()

    def _on_completed(self, member: Member, frame: Mapping[str, Any]) -> None:
        if frame["error"] is None:
            self._ledger.state.completed = True
            self.ending = Ending("completed")
        else:
            kind, message, traceback = frame["error"]
            self.ending = Ending("worker_error", f"on_job_complete failed: {kind}: {message}\n{traceback}")

    def _on_bye(self, member: Member, frame: Mapping[str, Any]) -> None:
        member.enter("leaving", time.monotonic())

    # ------------------------------------------------------------------------------------------ deaths

    def _died(self, member: Member, died: Died) -> None:
        if member.current_part:
            self._exporter.part_closed(member.current_part)
        doing = sorted(filter(None, look(self._crew.cell(member.name))), key=lambda one: one.ordinal)
        self._crew.remove(member)
        self._events.emit("worker_ended", worker=member.seat, name=member.name, cause=member.reason or str(died.cause))
        if member.phase in ("leaving", "halting"):
            self._work.take_back(member)
            return
        self._crew.died(charged=self._charge(member, died.cause, doing))

    def _charge(self, member: Member, cause: Cause, doing: list[Doing]) -> bool:
        killed_for_memory = self._limits.killed_for_memory(cause)
        kind = "OutOfMemory" if killed_for_memory else member.reason_kind
        reason = member.reason or (f"{cause} for lack of memory" if killed_for_memory else str(cause))
        error = Error(*member.failure) if member.failure else Error(kind, f"the worker {reason}")
        self.last_failure = error
        unexplained = cause.signal in _UNEXPLAINED and not cause.sent and not killed_for_memory
        return self._work.charge(member, doing, error, interruption=unexplained)
