"""The services of a job: started, watched, started again on the same port, ended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from insula.coordinator.job import Job
from insula.coordinator.server import Server
from insula.descriptors import Assignment, Service
from insula.errors import UserError
from insula.events import EventLog
from insula.hardware.cores import available_cores
from insula.ledger import Ledger
from insula.records import define
from insula.worker.environment import worker_environment

# Processes in a row that end before they are ready; and that end at all with no batch settled or failed in between.
UNREADY = 3
DEATHS = 10
STARTUP_TIMEOUT = 300.0
_DELAY, _LONGEST_DELAY = 0.25, 5.0
_TICK = 0.01


@define(eq=False)
class _Watched:
    """A server, when it was last started and may be again, and how often it ended while the job stood still."""

    server: Server
    since: float = 0.0
    not_before: float = 0.0
    deaths: int = 0
    stood: tuple[int, int] | None = None

    def died(self, stands: tuple[int, int], now: float, *, was_ready: bool) -> None:
        """Count a death of a job that stands there, and put the next start off; the first time not at all."""
        self.deaths = self.deaths + 1 if stands == self.stood else 1
        self.stood = stands
        waits = _DELAY * 2 ** (self.deaths - 1) if self.deaths > 1 or not was_ready else 0.0
        self.not_before = now + min(waits, _LONGEST_DELAY)


class Services:
    """The servers of a job.

    Call `watch` often, from the thread that starts the workers: on Linux a process ends with the thread that started it.

    Args:
        job: which services, and where their files go.
        ledger: remembers the processes, so that a later coordinator can end those that outlived theirs.
        events: the job's log.
        clock: the monotonic clock.
    """

    def __init__(self, job: Job, ledger: Ledger, events: EventLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._events = events
        self._clock = clock
        self._timeout = job.submission.startup_timeout or STARTUP_TIMEOUT
        root = job.folder.services
        self._all = [_Watched(Server(one, _environment(job, one), root)) for one in job.services]

    @property
    def ready(self) -> bool:
        """Whether every one accepts connections, as far as was seen."""
        return all(one.server.ready for one in self._all)

    def addresses(self, seat: int) -> dict[str, str]:
        """Return where one worker finds each service, by name; to be asked for once they were ready."""
        mine = (one.server for one in self._all if one.server.service.assignment in (None, seat))
        return {server.service.name: server.port.address for server in mine}

    # ------------------------------------------------------------------------------------------ watching

    def watch(self) -> None:
        """Start what does not run, and see what has become ready or has ended.

        Raises:
            UserError: if one cannot be started, does not get ready or does not stay alive; the job cannot go on then.
        """
        for one in self._all:
            fault = self._bury(one) or self._look(one)
            if fault is not None:
                words = one.server.last_words()
                raise UserError(
                    f"service {one.server.label} {fault}" + (f"; the end of its log:{words}" if words else "")
                )

    def _bury(self, one: _Watched) -> str | None:
        server, was_ready = one.server, one.server.ready
        cause = server.bury()
        if cause is None:
            return None
        self._ledger.remove_worker(_name(server))
        service = server.service
        self._events.emit("service_ended", service=service.name, worker=service.assignment, cause=str(cause))
        state = self._ledger.state
        one.died((state.accounted, state.attempts), self._clock(), was_ready=was_ready)
        if server.unready >= UNREADY:
            return f"{cause} before it was ready, {UNREADY} times in a row"
        return f"{cause}, {DEATHS} times with no batch settled in between" if one.deaths >= DEATHS else None

    def _look(self, one: _Watched) -> str | None:
        server, now = one.server, self._clock()
        if not server.runs:
            if now >= one.not_before:
                one.since = now
                self._start(server)
        elif server.look():
            service = server.service
            self._events.emit("service_ready", service=service.name, worker=service.assignment)
        elif not server.ready and now - one.since > self._timeout:
            return f"was not ready within startup_timeout, {self._timeout:g} s"
        return None

    def _start(self, server: Server) -> None:
        if server.starts == 0:
            _check_program(server)
        pid, start = server.start()
        # Before any worker knows of it, as for workers themselves.
        self._ledger.add_worker(_name(server), pid, start)
        self._ledger.commit()
        self._events.emit(
            "service_started", service=server.service.name, worker=server.service.assignment, pid=pid,
            port=server.port.number,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------ ending

    def close(self, patience: float = 2.0) -> None:
        """Ask all to end, and end those that have not within `patience` seconds, with whatever they started."""
        servers = [one.server for one in self._all]
        try:
            for server in servers:
                server.ask_to_end()
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline and not all(server.has_ended() for server in servers):
                time.sleep(_TICK)
        finally:
            for server in servers:
                server.end()


def _name(server: Server) -> str:
    """Return what the ledger calls the process; a worker's name begins with a digit."""
    return f"service-{server.label}-{server.starts}"


def _environment(job: Job, service: Service) -> Mapping[str, str]:
    # One that serves all may use all cores; its workers wait for it meanwhile.
    everything = Assignment(0, cpu=available_cores())
    assignment = everything if service.assignment is None else job.assignments[service.assignment]
    return worker_environment(job.environment, assignment)


def _check_program(server: Server) -> None:
    program = server.service.argv[0]
    in_its_folder = "{" in program or ("/" in program and not Path(program).is_absolute())
    if not in_its_folder and shutil.which(program, path=server.environment.get("PATH")) is None:
        raise UserError(f"service {server.label}: there is no program {program}")
