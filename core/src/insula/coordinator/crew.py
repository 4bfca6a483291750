"""The workers of a job: started, prepared, replaced, ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from insula import __version__
from insula.coordinator.job import Job
from insula.coordinator.leases import Member
from insula.events import EventLog
from insula.executors.interface import Executor, Handle, Start
from insula.ledger import Ledger
from insula.spec.plain import to_plain
from insula.worker.cell import Doing, look
from insula.worker.environment import worker_environment
from insula.worker.protocol import VERSION
from insula.worker.setup import Setup

if TYPE_CHECKING:
    from insula.coordinator.services import Services

# Deaths with nothing settled in between: the second replacement waits a second, the third is not tried.
DEATHS = 3
_DELAY = 1.0
# A batch that ends its workers has a budget of its own: its deaths say nothing of the crew, unless nothing was ever predicted.
CHARGED = 10
# At the end of a job nobody waits longer (seconds) for a worker that was asked to finish: its constructor may hang.
_FINISH_PATIENCE = 5.0


class Crew:
    """Who works on the job.

    Args:
        services: what workers share, if anything; no worker is started before all of it is ready.
        clock: the monotonic clock.
    """

    def __init__(
        self,
        job: Job,
        ledger: Ledger,
        executor: Executor,
        events: EventLog,
        services: Services | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job = job
        self._ledger = ledger
        self._executor = executor
        self._events = events
        self._services = services
        self._clock = clock
        self._free = list(range(len(job.assignments)))
        self._started = 0
        self._not_before = 0.0
        self._members: dict[Handle, Member] = {}
        self.deaths = self._charged = 0
        self._finished = self._failed = 0

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def __len__(self) -> int:
        return len(self._members)

    @property
    def ready(self) -> list[Member]:
        """The workers that can take leases."""
        return [member for member in self._members.values() if member.phase == "ready"]

    def counts(self) -> dict[str, int]:
        """Return how many workers are at what, in the words of Cortex's batch APIs."""
        young = sum(member.phase in ("starting", "checked", "constructing") for member in self)
        return {
            "pending": max(0, len(self._free) - self._finished),
            "initializing": young,
            "running": len(self) - young,
            "succeeded": self._finished,
            "failed": self._failed,
            "stalled": 0,  # in Cortex those that wait in vain for a machine, of which insula has the only one
        }

    def find(self, handle: Handle) -> Member | None:
        """Return the worker behind a handle."""
        return self._members.get(handle)

    def staff(self, wanted: int) -> None:
        """Start workers until there are as many as wanted and assigned; dead ones are replaced after a delay."""
        if self._services is not None and not self._services.ready:
            return
        while self._free and len(self._members) < wanted and self._clock() >= self._not_before:
            self._start(self._free.pop(0))

    def _start(self, seat: int) -> None:
        job, assignment = self._job, self._job.assignments[seat]
        self._started += 1
        name = f"{self._ledger.state.epoch}-{seat}-{self._started}"
        handle = self._executor.start(
            Start(
                name=name,
                environment=worker_environment(job.environment, assignment),
                folder=job.project,
                log=job.folder.logs / f"worker-{seat}.log",
            )
        )
        member = Member(name, seat, handle, self._clock())
        self._members[handle] = member
        identity = self._executor.identity(handle)
        if identity is not None:
            member.pid = identity[0]
            # Before the worker has anything to do: one that the ledger does not know has never done anything.
            self._ledger.add_worker(name, *identity)
            self._ledger.commit()
        self._executor.send(handle, self._setup(name, seat).to_frame())
        self._events.emit("worker_started", worker=seat, name=name, pid=identity[0] if identity else None)

    def _setup(self, name: str, seat: int) -> Setup:
        job = self._job
        return Setup(
            version=__version__,
            protocol=VERSION,
            name=name,
            project=str(job.project),
            predictor=job.predictor,
            hardware=job.hardware,
            source=job.source,
            api=job.api,
            assignment=to_plain(job.assignments[seat]),
            config=job.config,
            job_spec=job.job_spec,
            services=self._services.addresses(seat) if self._services is not None else {},
            parts=str(job.folder.parts),
            cell=str(self.cell(name)),
            batch_prefix=job.batch_prefix,
            join_input=job.submission.join_input,
            fingerprint=job.fingerprint,
        )

    def cell(self, name: str) -> Path:
        """Return the progress cell of a worker."""
        return self._job.folder.cells / f"{name}.cell"

    def predicting(self, member: Member) -> Doing | None:
        """Return the batch that a worker is predicting, if any."""
        return look(self.cell(member.name))[0] if member.leases else None

    # ------------------------------------------------------------------------------------------ ends

    def remove(self, member: Member) -> None:
        """Forget a worker that has ended; its seat is free."""
        del self._members[member.handle]
        if member.phase in ("leaving", "halting"):
            self._finished += 1
        else:
            self._failed += 1
        self._free.insert(0, member.seat)
        self._ledger.remove_worker(member.name)
        self.cell(member.name).unlink(missing_ok=True)

    def died(self, *, charged: bool = False) -> None:
        """Count a death, and put the next start off the longer the more there were with nothing settled in between.

        Args:
            charged: whether a batch answers for it.
        """
        if charged:
            self._charged += 1
            return
        self.deaths += 1
        if self.deaths > 1:
            self._not_before = self._clock() + _DELAY * 2 ** (self.deaths - 2)

    def settled(self) -> None:
        """Learn that something was settled, so that earlier deaths no longer count."""
        self.deaths = 0
        self._not_before = 0.0

    @property
    def hopeless(self) -> bool:
        """Whether no worker stays alive."""
        state = self._ledger.state
        return self.deaths >= DEATHS or (self._charged >= CHARGED and state.accounted == state.dead)

    def kill(self, member: Member, reason: str, kind: str = "WorkerDied") -> None:
        """End a worker, saying why, and what errors call that."""
        member.reason, member.reason_kind = reason, kind
        self._executor.kill(member.handle)

    def dismiss(self, members: Iterable[Member]) -> None:
        """Ask workers to finish; those that have not come to user code yet are not waited for."""
        for member in members:
            young = member.phase in ("starting", "checked")
            if member.phase != "leaving":
                member.enter("leaving", self._clock())
                self._executor.send(member.handle, {"type": "finish"})
            if young:
                self.kill(member, "was not needed")

    def hurry(self) -> None:
        """End workers that were asked to finish and do not."""
        now = self._clock()
        for member in self:
            if member.phase == "leaving" and now - member.since > _FINISH_PATIENCE:
                self.kill(member, f"did not finish within {_FINISH_PATIENCE:g} s")
