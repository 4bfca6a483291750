"""The coordinator: one loop in one thread that carries messages from workers to the ledger and back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from insula.coordinator.crew import Crew
from insula.coordinator.ending import Ending
from insula.coordinator.job import Job
from insula.coordinator.leases import Member
from insula.coordinator.limits import Limits
from insula.coordinator.messages import Messages
from insula.coordinator.splitting import Splitting
from insula.coordinator.status import Progress, Speed, progress
from insula.coordinator.work import Work
from insula.descriptors import Position
from insula.errors import SourceError, UserError
from insula.events import EventLog
from insula.executors.interface import Died, Executor
from insula.folder import replace
from insula.ledger import Ledger
from insula.results.export import Exporter

if TYPE_CHECKING:
    from insula.coordinator.services import Services

_TICK = 0.1
# Services that are starting are looked at more often: everything waits for them.
_EAGER_TICK = 0.02
_STATUS_SECONDS = 1.0
# On small inputs the first worker shows what a batch takes before a second one starts, but not for long.
_WAIT_FOR_PACE = 0.3
_WORTH_A_WORKER = 0.1
_LARGE = 1024 * 1024
# Who is this long in one batch (seconds) may well be longer.
_LONG = 0.5


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
        services: what workers share, if anything; the caller closes it.
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
        services: Services | None = None,
    ) -> None:
        self._keep_going = keep_going
        self._job = job
        self._ledger = ledger
        self._exporter = exporter
        self._executor = executor
        self._events = events
        self._services = services
        self._observe = observe
        submission = job.submission
        self.work = Work(ledger, exporter, events, retries=submission.retries, isolate=submission.isolate_failures)
        self._crew = Crew(job, ledger, executor, events, services)
        self._limits = Limits(job, self._crew, ledger.state)
        self._messages = Messages(job, ledger, exporter, executor, events, self._crew, self.work, self._limits)
        self._speed = Speed()
        self._stopping = self._aborting = False
        self._large = False
        self._splitting: Splitting | None = None
        self._started = self._ticked = self._told = time.monotonic()
        self._earlier = ledger.state.running
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
            UserError: if a service does not get ready and nothing was predicted yet.
        """
        if not self._all_settled():
            self._watch_services()
            self._crew.staff(1)
        self._begin_split()
        while self._ending is None and not self._all_settled():
            self._turn()
        self._count_time(time.monotonic())
        if self._ending is not None:
            self._ledger.commit()  # the next run is to know that a limit of time was reached
        elif self._ledger.state.completes is False:
            self._crew.dismiss(self._crew)  # they end while the results are completed
        return self._ending or Ending("settled")

    def _begin_split(self) -> None:
        state, context = self._ledger.state, self._job.settings
        inputs = self._ledger.inputs()
        if not inputs:
            inputs = list(self._job.hooks.list_inputs(context))
            if not inputs:
                raise SourceError("the input holds no files")
            self._ledger.add_inputs(inputs)
            self._ledger.commit()
        self._messages.inputs = inputs
        self._large = sum(one.size or _LARGE for one in inputs) > _LARGE
        if not state.split_done:
            after = None
            if state.batches:
                after = Position(state.batches, state.samples, state.split_input, state.split_offset)
            self._splitting = Splitting(self._job.hooks, context, inputs, after, self._executor.wake)

    def _all_settled(self) -> bool:
        state = self._ledger.state
        return state.split_done and state.settled == state.batches

    def _turn(self) -> None:
        """One turn: take in what came, lease, make it durable, then export and tell."""
        for found in self._executor.receive(0.0 if self._exporting else self._patience):
            self._messages.take(found)
        if self._aborting:
            self._ledger.commit()  # what came until now is done, and the summary says so
            raise KeyboardInterrupt
        self._take_split()
        self._watch_services()
        # Before the commit, for whose sync no worker needs to wait: what a lost ledger does not know is leased again.
        self._lease()
        self._ledger.commit()
        self._exporter.synchronise()
        self._exporting = self._exporter.step()
        self._tick(time.monotonic())

    _exporting = False

    @property
    def _patience(self) -> float:
        return _TICK if self._serviced else _EAGER_TICK

    @property
    def _serviced(self) -> bool:
        """Whether everything that workers share is there."""
        return self._services is None or self._services.ready

    def _watch_services(self) -> None:
        if self._services is None:
            return
        try:
            self._services.watch()
        except UserError as error:
            if not self._ledger.state.accounted:
                raise
            self._ending = Ending("worker_error", str(error))

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
                self._messages.construct(member)

    def _lease(self) -> None:
        if self._stopping:
            self._wind_down()
            return
        self._staff()
        if not self._serviced:
            return  # what were leased now would fail, and cost an attempt
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
        failure = self._messages.last_failure
        message = "no worker stays alive" + (f": {failure.type}: {failure.message}" if failure else "")
        status = "worker_oom" if failure is not None and failure.type == "OutOfMemory" else "worker_error"
        self._ending = Ending(status, message + (f"\n{failure.traceback}" if failure else ""))

    def _job_is_hopeless(self) -> bool:
        """End a job in which everything fails, or more than is allowed."""
        self._ending = self._limits.check_failures() or self._ending
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
        rate = self._speed.see(state.accounted)
        return progress(state, len(self._crew), rate, longest, self._crew.counts())

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
            self._crew.hurry()
            for found in self._executor.receive(self._patience):
                self._messages.take(found)
            self._watch_services()
            self._ending = self._messages.ending or self._ending
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
        self._executor.send(ready[0].handle, {"type": "complete", "job_spec": self._messages.job_spec()})
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
                    self._messages.take(found)
        self._ledger.commit()
