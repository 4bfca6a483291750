"""What jobs say of themselves and give back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insula.folder import JobFolder
from insula.jobs.listing import look_closely
from insula.jobs.standing import standing
from insula.records import frozen


@frozen
class Prediction:
    """One line of a job's predictions.

    Args:
        index: the position in the input of the (first) sample.
        prediction: what `predict` returned.
        batch_id: the batch, or the part of one, that it was in.
        count: of how many samples it is the prediction.
        input: the sample, with `join_input`.
    """

    index: int
    prediction: Any
    batch_id: str
    count: int = 1
    input: Any = None


@frozen
class DeadLetter:
    """A sample that a job gave up on.

    Args:
        index: its position in the input.
        source, line: the file and its line, from 1; None where unknown.
        input: the sample, or the text of an unreadable line; None if it cannot be read any more.
        attempts: how often it was tried in the end.
        error: `type`, `message` and `traceback`.
    """

    index: int
    source: str | None
    line: int | None
    input: Any
    attempts: int
    error: Mapping[str, str]


@frozen
class JobStatus:
    """How a job stands.

    Args:
        status: one of the statuses of the reference; `interrupted` if its coordinator died.
        running: whether a coordinator runs it now.
        finished: whether nothing is left to do; every other job that is not running can be resumed.
        batches, samples: in all; None as long as the input is being split.
        batches_done, samples_done, dead_letters: so far.
        rate: samples a second, lately.
        message: what there is to say of the end.
        facts: all that `insula status --json` prints.
    """

    job_id: str
    status: str
    running: bool
    finished: bool
    batches: int | None
    samples: int | None
    batches_done: int
    samples_done: int
    dead_letters: int
    rate: float
    message: str
    facts: Mapping[str, Any]


def status_of(folder: JobFolder) -> JobStatus:
    """Return how a job stands.

    Raises:
        JobError: if there is none in this folder any more.
    """
    job = look_closely(folder)
    facts = standing(job)
    return JobStatus(
        job_id=job.record.job_id,
        status=job.status,
        running=job.running,
        finished=job.finished,
        batches=facts.get("batches"),
        samples=facts.get("samples"),
        batches_done=facts.get("settled", 0),
        samples_done=facts.get("accounted", 0),
        dead_letters=job.dead_letters,
        rate=facts.get("rate", 0.0) if job.running else 0.0,
        message=facts.get("message", ""),
        facts=facts,
    )
