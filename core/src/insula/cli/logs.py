"""`insula logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from insula.cli.options import job_argument

if TYPE_CHECKING:
    from insula.jobs.logs import Line

_NO_TIME = " " * 23
_LEVELS = {
    "attempt_failed": "WARNING",
    "interrupted": "WARNING",
    "worker_ended": "WARNING",  # of those that ended as they should, nothing is told
    "worker_broken": "ERROR",
    "dead_letter": "ERROR",
    "dead_letters": "ERROR",
}


@click.command("logs", short_help="Print what a job's workers printed, and what happened.")
@job_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until the job has ended.")
@click.option("--worker", metavar="N", type=click.IntRange(min=0), help="Only worker N, counted from 0.")
def command(job: str, follow: bool, worker: int | None) -> int:
    """Print what the workers of JOB wrote to their output, with what happened in the job, in order of time.

    What Python's logging wrote carries a time; other lines stay behind the line of their worker before them. Each worker
    keeps at least its last 32 MiB.
    """
    from insula.cli.output import write_lines
    from insula.jobs.logs import check_worker, follow_logs, read_logs
    from insula.jobs.store import JobStore, home

    folder = JobStore(home()).find(job)
    if worker is not None:
        check_worker(folder, worker)
    lines = (follow_logs if follow else read_logs)(folder, worker)
    write_lines((f"{shown(line)}\n".encode() for line in lines), at_once=follow)
    return 0


def shown(line: Line) -> str:
    """Return a line with its time, who said it, and of an event its level."""
    if line.event is not None:
        return f"{_time(line.time)} insula    {_told(line.event)}"
    stamp, _, rest = line.text[:23], line.text[23:24], line.text[24:]
    # A line that carries a time of its own shows that, not a second one.
    timed = len(stamp) == 23 and stamp[4:5] == stamp[7:8] == "-" and stamp[19:20] == ","
    return f"{stamp if timed else _NO_TIME} worker {line.worker:<2} {rest if timed else line.text}".rstrip()


def _time(seconds: float) -> str:
    import time

    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return f"{whole},{int(seconds % 1 * 1000):03}"


def _told(event: dict[str, Any]) -> str:
    from insula.cli.narration import describe

    told, name = describe(event), event["event"]
    level = _LEVELS.get(name, "INFO")
    if told is None:
        fields = (f"{key} {value}" for key, value in event.items() if key not in ("time", "event") and value != "")
        return f"INFO {name}: {', '.join(fields)}"
    return f"{level} {told}"
