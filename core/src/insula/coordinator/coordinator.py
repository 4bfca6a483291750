"""The coordinator: one loop in one thread that carries messages from workers to the ledger and back."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from insula.coordinator.crew import Crew
from insula.coordinator.ending import Ending
from insula.coordinator.failures import Error
from insula.coordinator.job import Job
from insula.coordinator.leases import Member
from insula.coordinator.limits import Limits
from insula.coordinator.splitting import Splitting
from insula.coordinator.status import Progress, Speed, progress
from insula.coordinator.work import Work
from insula.descriptors import Position
from insula.errors import OutputError, SourceError, WorkerFault
from insula.events import EventLog
from insula.executors.interface import Cause, Died, Executor, Frame
from insula.folder import replace
from insula.ledger import Ledger
from insula.results.export import Exporter
from insula.spec import Input
from insula.worker.cell import Doing, look

_TICK = 0.1
_STATUS_SECONDS = 1.0
# On small inputs the first worker shows what a batch takes before a second one starts, but not for long.
_WAIT_FOR_PACE = 0.3
_WORTH_A_WORKER = 0.1
_LARGE = 1024 * 1024
# Who is this long in one batch (seconds) may well be longer.
_LONG = 0.5
# Signals that an operator or the kernel sends for reasons that are not the batch's.
_UNEXPLAINED = {signal.SIGKILL, signal.SIGTERM}


class Coordinator:
    """Runs a job until every batch is settled, it is stopped, or it cannot go on.

    Args:
        job: what to run.
        ledger: opened, its epoch raised.
        exporter: on the job's results.
        executor: starts the workers.
        events: the job's log.
        observe: called about ten times a second with how the job stands.
        keep_going: whether to run on although everything has failed so far.
    """

    def __init__(
        self,
        job: Job,
        ledger: Ledger,
        exporter: Exporter,
        executor: Executor,
        events: EventLog,
        observe: Callable[[Progress], None] | None = None,
        *,
        keep_going: bool = False,
    ) -> None:
        self._keep_going = keep_going
        self._job = job
        self._ledger = ledger
        self._exporter = exporter
        self._executor = executor
        self._events = events
        self._observe = observe
        submission = job.submission
        self.work = Work(ledger, exporter, events, retries=submission.retries, isolate=submission.isolate_failures)
        self._crew = Crew(job, ledger, executor, events)
        self._limits = Limits(job, self._crew, ledger.state)
        self._speed = Speed()
        self._stopping = self._aborting = False
        self._inputs: list[Input] = []
        self._large = False
        self._splitting: Splitting | None = None
        self._started = self._ticked = self._told = time.monotonic()
        self._earlier = ledger.state.running
        self._last_failure: Error | None = None
        self._ending: Ending | None = None

    def stop(self) -> None:
        """Let the batches that run finish, then end; may be called from a signal handler or another thread."""
        self._stopping = True
        self._executor.wake()

    def abort(self) -> None:
        """End at once, whatever runs; may be called from a signal handler or another thread."""
        self._aborting = True
        self._executor.wake()

    # ------------------------------------------------------------------------------------------ the loop

    def run(self) -> Ending:
        """Run until every batch is settled and exported, or something ends the job.

        Raises:
            WorkerFault: if no worker of this kind could serve the job.
            SourceError: if the input cannot be listed or split.
        """
        if not self._all_settled():
            self._crew.staff(1)
        self._begin_split()
        while self._ending is None and not self._all_settled():
            self._turn()
        self._count_time(time.monotonic())
        if self._ending is None and self._ledger.state.completes is False:
            self._crew.dismiss(self._crew)  # they end while the results are completed
        return self._ending or Ending("settled")

    def _begin_split(self) -> None:
        state, context = self._ledger.state, self._job.settings
        self._inputs = self._ledger.inputs()
        if not self._inputs:
            self._inputs = list(self._job.hooks.list_inputs(context))
            if not self._inputs:
                raise SourceError("the input holds no files")
            self._ledger.add_inputs(self._inputs)
            self._ledger.commit()
        self._large = sum(one.size or _LARGE for one in self._inputs) > _LARGE
        if not state.split_done:
            after = None
            if state.batches:
                after = Position(state.batches, state.samples, state.split_input, state.split_offset)
            self._splitting = Splitting(self._job.hooks, context, self._inputs, after, self._executor.wake)

    def _all_settled(self) -> bool:
        state = self._ledger.state
        return state.split_done and state.settled == state.batches

    def _turn(self) -> None:
        """One turn: take in what came, make it durable, then lease, export and tell."""
        timeout = 0.0 if self._exporting else _TICK
        for found in self._executor.receive(timeout):
            self._on_frame(found) if isinstance(found, Frame) else self._on_death(found)
        if self._aborting:
            raise KeyboardInterrupt
        self._take_split()
        self._ledger.commit()
        self._exporter.synchronise()
        self._lease()
        self._exporting = self._exporter.step()
        self._tick(time.monotonic())

    _exporting = False

    def _take_split(self) -> None:
        splitting = self._splitting
        if splitting is None:
            return
        for block in splitting.take():
            self.work.add(block)
        if splitting.done:
            self._splitting = None
            self._split_ended()

    def _split_ended(self) -> None:
        state = self._ledger.state
        if not state.samples:
            raise SourceError("the input holds no samples")
        state.split_done = True
        self._events.emit("enqueued", batches=state.batches, samples=state.samples)
        for member in self._crew:
            if member.phase == "checked":
                self._construct(member)

    def _lease(self) -> None:
        if self._stopping:
            self._wind_down()
            return
        self._staff()
        ready = self._crew.ready
        if self._job_is_hopeless():
            return
        if not self.work.waiting and not any(member.leases for member in ready):
            self.work.release()
        # One lease each before anyone gets a second.
        for _ in range(2):
            for member in ready:
                if self.work.waiting and (frame := self.work.lease(member, len(self._job.assignments))):
                    self._executor.send(member.handle, frame)

        if not self.work.waiting:
            self._share(ready, time.monotonic())

    def _share(self, ready: list[Member], now: float) -> None:
        """Where a worker idles, give it what another has not begun, being long in one batch."""
        idle = [member for member in ready if not member.leases]
        for member in ready:
            if idle and len(member.leases) > 1:
                doing = self._crew.predicting(member)
                first = member.leases[0]
                if doing and first.holds(doing.ordinal, doing.skip) and now - doing.since > _LONG:
                    self._executor.send(member.handle, self.work.drop(member))
                    idle.pop()

    def _staff(self) -> None:
        if self._crew.hopeless:
            self._give_up()
            return
        self._crew.staff(self._wanted(time.monotonic()))

    def _wanted(self, now: float) -> int:
        """Return how many workers the work is worth: a start costs more than a few quick batches."""
        left = self.work.waiting + sum(len(member.leases) for member in self._crew)
        most = max(1, left) if self._ledger.state.split_done else len(self._job.assignments)
        if self._large or now - self._started > _WAIT_FOR_PACE:
            return most
        return 1 if self.work.waiting * (self.work.pace.seconds or 0.0) < _WORTH_A_WORKER else most

    def _give_up(self) -> None:
        failure = self._last_failure
        message = "no worker stays alive" + (f": {failure.type}: {failure.message}" if failure else "")
        status = "worker_oom" if failure is not None and failure.type == "OutOfMemory" else "worker_error"
        self._ending = Ending(status, message + (f"\n{failure.traceback}" if failure else ""))

    def _job_is_hopeless(self) -> bool:
        """End a job in which everything fails."""
        error = None if self._keep_going else self.work.failures.hopeless
        if error is not None:
            message = f"the first {self.work.failures.aside} batches all failed: {error.type}: {error.message}"
            self._ending = Ending("worker_error", f"{message}\n{error.traceback}".rstrip())
        return self._ending is not None

    def _wind_down(self) -> None:
        if self._all_settled():
            return  # nothing is left to be stopped
        for member in self._crew:
            if member.phase in ("starting", "checked", "constructing") or not member.leases:
                self._crew.dismiss([member])
            elif member.phase == "ready":
                member.enter("halting", time.monotonic())
                self._executor.send(member.handle, {"type": "halt"})
        if all(member.phase == "leaving" and not member.leases for member in self._crew):
            self._ending = Ending("stopped")

    # ------------------------------------------------------------------------------------------ frames

    def _on_frame(self, found: Frame) -> None:
        member = self._crew.find(found.handle)
        if member is not None:
            getattr(self, f"_on_{found.frame['type']}")(member, found.frame)

    def _on_hello(self, member: Member, frame: Mapping[str, Any]) -> None:
        pass  # a worker of another version refuses by itself, in `checked`

    def _on_checked(self, member: Member, frame: Mapping[str, Any]) -> None:
        if frame["faults"]:
            raise WorkerFault("\n".join(frame["faults"]))
        if not frame["needs_total"]:
            member.enter("constructing", time.monotonic())
        elif self._ledger.state.split_done:
            self._construct(member)
        else:
            member.enter("checked", time.monotonic())

    def _construct(self, member: Member) -> None:
        member.enter("constructing", time.monotonic())
        self._executor.send(member.handle, {"type": "total", "job_spec": self.job_spec()})

    def job_spec(self) -> dict[str, Any]:
        """Return what predictors are shown of the job, with the total."""
        return {**self._job.job_spec, "total_batch_count": self._ledger.state.batches}

    def _on_ready(self, member: Member, frame: Mapping[str, Any]) -> None:
        member.enter("ready", time.monotonic())
        self._ledger.state.completes = frame["completes"]
        inputs = [attrs.astuple(one) for one in self._inputs]
        self._executor.send(member.handle, {"type": "inputs", "inputs": inputs})
        self._events.emit("worker_ready", worker=member.seat, name=member.name)

    def _on_broken(self, member: Member, frame: Mapping[str, Any]) -> None:
        member.failure = frame["error"]
        self._last_failure = Error(*frame["error"])
        self._events.emit("worker_broken", worker=member.seat, error=": ".join(frame["error"][:2]))

    def _on_unwritable(self, member: Member, frame: Mapping[str, Any]) -> None:
        raise OutputError(f"a worker cannot write its results: {frame['error'][1]}")

    def _on_report(self, member: Member, frame: Mapping[str, Any]) -> None:
        parts = {row[2] for row in frame["rows"] if row[2]}
        if frame.get("closed"):
            self._exporter.part_closed(frame["closed"])
        for part in parts:
            member.current_part = part
        if self.work.report(member, frame):
            self._crew.settled()

    def _on_completed(self, member: Member, frame: Mapping[str, Any]) -> None:
        if frame["error"] is None:
            self._ledger.state.completed = True
            self._ending = Ending("completed")
        else:
            kind, message, traceback = frame["error"]
            self._ending = Ending("worker_error", f"on_job_complete failed: {kind}: {message}\n{traceback}")

    def _on_bye(self, member: Member, frame: Mapping[str, Any]) -> None:
        member.enter("leaving", time.monotonic())

    # ------------------------------------------------------------------------------------------ deaths

    def _on_death(self, died: Died) -> None:
        member = self._crew.find(died.handle)
        if member is None:
            return
        if member.current_part:
            self._exporter.part_closed(member.current_part)
        doing = sorted(filter(None, look(self._crew.cell(member.name))), key=lambda one: one.ordinal)
        self._crew.remove(member)
        self._events.emit("worker_ended", worker=member.seat, name=member.name, cause=member.reason or str(died.cause))
        if member.phase in ("leaving", "halting"):
            self.work.take_back(member)
            return
        self._crew.died(charged=self._charge(member, died.cause, doing))

    def _charge(self, member: Member, cause: Cause, doing: list[Doing]) -> bool:
        killed_for_memory = self._limits.killed_for_memory(cause)
        kind = "OutOfMemory" if killed_for_memory else member.reason_kind
        reason = member.reason or (f"{cause} for lack of memory" if killed_for_memory else str(cause))
        error = Error(*member.failure) if member.failure else Error(kind, f"the worker {reason}")
        self._last_failure = error
        unexplained = cause.signal in _UNEXPLAINED and not cause.sent and not killed_for_memory
        return self.work.charge(member, doing, error, interruption=unexplained)

    # ------------------------------------------------------------------------------------------ telling

    def _tick(self, now: float) -> None:
        if now - self._ticked < _TICK:
            return
        self._ticked = now
        self._count_time(now)
        self._stopping = self._stopping or self._job.folder.stop.exists()
        self._ending = self._limits.check(now) or self._ending
        stands = self.stands(now)
        if self._observe is not None:
            self._observe(stands)
        if now - self._told >= _STATUS_SECONDS:
            self._told = now
            self.tell(stands)

    def _count_time(self, now: float) -> None:
        self._ledger.state.running = self._earlier + now - self._started

    def stands(self, now: float) -> Progress:
        """Return how the job stands."""
        self._count_time(now)
        longest = max(
            (now - one.since for one in map(self._crew.predicting, self._crew) if one is not None), default=0.0
        )
        state = self._ledger.state
        return progress(state, len(self._crew), self._speed.see(state.accounted), longest)

    def tell(self, stands: Progress, **more: Any) -> None:
        """Replace the job's status file."""
        job = self._job
        replace(
            job.folder.status, {"job_id": job.id, "api_name": job.api_name, **stands.to_plain(), **more}, durable=False
        )

    # ------------------------------------------------------------------------------------------ completion

    def complete(self) -> Ending:
        """Have `on_job_complete` called in one worker, the others ended; called when the results are complete."""
        state = self._ledger.state
        if state.completed or state.completes is False:
            return Ending("completed")
        self._ending, self._crew.deaths, chosen = None, 0, None
        while self._ending is None:
            if chosen is None or self._crew.find(chosen.handle) is None:
                chosen = self._choose()
            for found in self._executor.receive(_TICK):
                self._on_frame(found) if isinstance(found, Frame) else self._on_death(found)
            if not state.completes and self._crew.ready:
                self._ending = Ending("completed")
            if self._crew.hopeless:
                self._give_up()
            self._ledger.commit()
            self._tick(time.monotonic())
        self._ledger.commit()
        return self._ending

    def _choose(self) -> Member | None:
        ready = self._crew.ready
        if not ready:
            self._crew.staff(1)
            return None
        self._crew.dismiss([member for member in self._crew if member is not ready[0]])
        if len(self._crew) > 1:
            return None
        self._executor.send(ready[0].handle, {"type": "complete", "job_spec": self.job_spec()})
        return ready[0]

    def dismiss(self, patience: float = 10.0) -> None:
        """Ask every worker to finish, and end those that do not within `patience` seconds."""
        if self._splitting is not None:
            self._splitting.stop()
        self._crew.dismiss(self._crew)
        deadline = time.monotonic() + patience
        while len(self._crew) and time.monotonic() < deadline:
            for found in self._executor.receive(_TICK):
                if isinstance(found, Died):
                    self._on_death(found)
        self._ledger.commit()
