"""What happens in a job, told in lines: its beginning, failures and deaths, never too many at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from insula.cli.wording import count

_LONGEST = 300
_PERIOD = 10.0
_FAILURES_A_PERIOD = 5
# A worker that was asked to end.
_ORDERLY = ("ended with exit code 0", "was stopped", "was not needed")


class Narration:
    """Tells events as they come.

    Args:
        say: takes a line.
        clock: in seconds.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._since = clock()
        self._told = 0
        self._untold = 0

    def event(self, event: Mapping[str, Any]) -> None:
        """Tell one event of the job's log, if it is worth a line."""
        line = describe(event)
        if line is None:
            return
        if event["event"] in ("job_started", "enqueued"):
            self._say(line)
            return
        if self._clock() - self._since >= _PERIOD:
            self.catch_up()
        if self._told < _FAILURES_A_PERIOD:
            self._told += 1
            self._say(line)
        else:
            self._untold += 1

    def catch_up(self) -> None:
        """Tell how many failures were not told, and begin a new period."""
        if self._untold:
            self._say(f"... and {count(self._untold, 'more failure')} like these")
        self._since, self._told, self._untold = self._clock(), 0, 0


def describe(event: Mapping[str, Any]) -> str | None:
    """Return an event of a job's log in one line, None if it is of no interest to who waits."""
    teller = _TELLERS.get(event["event"])
    line = teller(event) if teller else None
    return line if line is None else _one_line(line)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 4]} ..."


def _job_started(event: Mapping[str, Any]) -> str:
    again = f" goes on (start {event['epoch']})" if event["epoch"] > 1 else " begins"
    return f"job {event['job_id']}{again}"


def _enqueued(event: Mapping[str, Any]) -> str:
    return f"enqueued: {count(event['batches'], 'batch')}, {count(event['samples'], 'sample')}"


def _attempt_failed(event: Mapping[str, Any]) -> str:
    samples = count(event["samples"], "sample")
    return f"batch {event['batch']} ({samples} from {event['index']}) failed: {event['error']}"


def _dead_letters(event: Mapping[str, Any]) -> str:
    given_up = f"gave up on {count(event['samples'], 'sample')} from {event['index']}"
    return f"batch {event['batch']}: {given_up} after {count(event['attempts'], 'attempt')}: {event['error']}"


def _dead_letter(event: Mapping[str, Any]) -> str:
    return f"sample {event['index']} is given up: {event['error']}"


def _interrupted(event: Mapping[str, Any]) -> str:
    return f"batch {event['batch']} was interrupted, {count(event['interruptions'], 'time')} so far"


def _worker_broken(event: Mapping[str, Any]) -> str:
    return f"worker {event['worker']} is broken: {event['error']}"


def _worker_ended(event: Mapping[str, Any]) -> str | None:
    return None if event["cause"] in _ORDERLY else f"worker {event['worker']} {event['cause']}"


def _service_ended(event: Mapping[str, Any]) -> str:
    whose = "" if event["worker"] is None else f" of worker {event['worker']}"
    return f"service {event['service']}{whose} {event['cause']}"


_TELLERS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "job_started": _job_started,
    "enqueued": _enqueued,
    "attempt_failed": _attempt_failed,
    "dead_letters": _dead_letters,
    "dead_letter": _dead_letter,
    "interrupted": _interrupted,
    "worker_broken": _worker_broken,
    "worker_ended": _worker_ended,
    "service_ended": _service_ended,
}
