"""`insula status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from insula.cli.options import job_argument, json_option

if TYPE_CHECKING:
    from insula.jobs.listing import ListedJob


@click.command("status", short_help="Show how a job stands.")
@job_argument
@json_option("Print a JSON object.")
def command(job: str, json: bool) -> int:
    """Show how JOB stands; JOB is the id of a job, or the beginning of one."""
    from insula.cli.output import write, write_json
    from insula.cli.table import facts
    from insula.jobs.listing import look_closely
    from insula.jobs.standing import standing
    from insula.jobs.store import JobStore, home

    found = look_closely(JobStore(home()).find(job))
    if json:
        write_json(standing(found))
    else:
        write(facts(list(_lines(found))))
    return 0


def _lines(job: ListedJob) -> Iterator[tuple[str, str]]:
    from insula.cli.wording import local_time
    from insula.jobs.standing import standing

    found = standing(job)
    yield "job", found["job_id"]
    yield "api", found["api_name"]
    yield "status", found["status"].replace("_", " ") if job.finished else found["status"]
    yield "created", local_time(found["created_time"])
    yield from _counts(found)
    if job.running:
        yield from _pace(found)
    yield "project", found["project"]
    yield "results", found["output"] if job.finished else f"{found['output']} (not complete)"
    if found.get("message"):
        yield "message", found["message"]
    if not job.finished and not job.running:
        yield "to finish", f"insula resume {found['job_id']}"


def _counts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "settled" in found:
        failed = f", {found['failed']:,} with dead letters" if found["failed"] else ""
        yield "batches", _of(found["settled"], found["batches"]) + failed
        yield "samples", _of(found["accounted"], found["samples"])
        yield "dead letters", f"{found['dead_letters']:,}"


def _of(done: int, total: int | None) -> str:
    return f"{done:,} of {'an unknown number' if total is None else f'{total:,}'}"


def _pace(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from insula.cli.wording import SLOW, duration, rate

    yield "workers", f"{found.get('workers', 0):,}"
    if found.get("rate"):
        left = found.get("remaining")
        yield "rate", rate(found["rate"]) + ("" if left is None else f", {duration(left)} left")
    if found.get("longest", 0) > SLOW:
        yield "slowest batch", f"{duration(found['longest'])} so far"
    for stalled in found["stalled_batches"]:
        yield "stalled", f"batch {stalled['batch']}, in predict for {duration(stalled['seconds'])}"
