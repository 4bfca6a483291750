"""What a job and its workers may take: time, and memory."""

from __future__ import annotations

import signal

from insula.coordinator.crew import Crew
from insula.coordinator.ending import Ending
from insula.coordinator.job import Job
from insula.coordinator.leases import Member
from insula.coordinator.memory import oom_kills, private_memory
from insula.executors.interface import Cause
from insula.ledger import State

# Looking at the memory of a worker takes a millisecond or so.
_WEIGH_SECONDS = 0.25


class Limits:
    """The limits of one job; `check` ends the workers that exceed theirs."""

    def __init__(self, job: Job, crew: Crew, state: State) -> None:
        self._submission = job.submission
        self._memory = job.memory
        self._crew = crew
        self._state = state
        # A job that was over a limit and is resumed all the same has as much once more; else it could never be finished.
        self._ran = self._over(state.running, job.submission.timeout)
        self._failed = int(self._over(state.failed, job.submission.max_failed_batches))
        self._weighed = 0.0
        self._oom_kills = oom_kills()

    @staticmethod
    def _over(count: float, limit: float | None) -> float:
        return count if limit is not None and count > limit else 0

    def check_failures(self) -> Ending | None:
        """Return how the job ends if too many of its batches have failed."""
        most, failed = self._submission.max_failed_batches, self._state.failed
        if most is None or failed - self._failed <= most:
            return None
        return Ending("worker_error", f"{failed:,} batches failed; max_failed_batches is {most:,}")

    def check(self, now: float) -> Ending | None:
        """Look at every limit that time brings about; return how the job ends if it is over one of its own."""
        timeout = self._submission.timeout
        if timeout is not None and self._state.running - self._ran > timeout:
            return Ending("timed_out", f"the job ran for {timeout:g} s, its timeout")
        for member in self._crew:
            self._check_time(member, now)
        if self._memory is not None and now - self._weighed >= _WEIGH_SECONDS:
            self._weighed = now
            self._check_memory(self._memory)
        return None

    def _check_time(self, member: Member, now: float) -> None:
        limit = self._submission.startup_timeout
        if limit is not None and member.phase in ("starting", "constructing") and now - member.since > limit:
            self._crew.kill(member, f"was not ready within startup_timeout, {limit:g} s", "StartupTimeout")
        limit = self._submission.batch_timeout
        if limit is not None and member.leases:
            doing = self._crew.predicting(member)
            if doing is not None and now - doing.since > limit:
                self._crew.kill(member, f"took longer than batch_timeout, {limit:g} s", "BatchTimeout")

    def _check_memory(self, limit: int) -> None:
        for member in self._crew:
            used = private_memory(member.pid) if member.pid is not None else 0
            if used > limit:
                self._crew.kill(member, f"used {used:,} bytes of memory; compute.mem is {limit:,}", "OutOfMemory")

    def killed_for_memory(self, cause: Cause) -> bool:
        """Return whether the kernel ended a worker for lack of memory, as far as it counts."""
        if cause.signal != signal.SIGKILL or cause.sent:
            return False
        before, self._oom_kills = self._oom_kills, oom_kills()
        return self._oom_kills > before
