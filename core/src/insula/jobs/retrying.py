"""What a job gave up on, as a new job: by the project as it is now, each sample under the index it had."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from insula.descriptors import Payload
from insula.documents import Document
from insula.errors import JobError
from insula.folder import JobFolder
from insula.hooks import Hooks
from insula.jobs import output as outputs
from insula.jobs.composing import Composed, compose
from insula.jobs.listing import look_at
from insula.jobs.lock import JobLock
from insula.jobs.reading import DEAD_LETTERS_KEY
from insula.jobs.record import Record
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, discard, submit
from insula.ledger import Ledger
from insula.loading import CONFIG_FILE
from insula.sources.dead_letters import spool_dead_letters

Submitted = tuple[JobFolder, Record, Composed]


def retry(
    folder: JobFolder,
    store: JobStore,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    output: str | None = None,
    executor: str | None = None,
) -> Submitted:
    """Make a job of the dead letters of another, with its submission and the project as it is now.

    Args:
        store: where the new job is made.
        batch_size, workers, output, executor: in place of the other job's; its output is not taken over.

    Raises:
        JobError: if the job is not finished or has no dead letters.
        UserError: if the project is not fit to run, or the input can no longer be read; no job is left behind then.
    """
    record = _retried(folder)
    old = compose(Document(CONFIG_FILE, record.entry), None, Document("the submission", record.submission))
    request = Request(
        Path(record.project),
        api=record.api_name,
        submission=_submission(record, old, batch_size),
        workers=workers,
        output=output,
        executor=executor or record.executor,
    )
    made, new, composed = submit(request, store)
    try:
        _spool(folder, old.hooks, made)
    except BaseException:
        outputs.abandon(new.output, made)
        discard(made)
        raise
    return made, new, composed


def _retried(folder: JobFolder) -> Record:
    job, job_id = look_at(folder), folder.root.name
    if not job.finished:
        hint = "" if job.running else f"; finish it first: insula resume {job_id}"
        raise JobError(f"job {job_id} is {job.status}, so more samples may become dead letters{hint}")
    if not job.dead_letters:
        raise JobError(f"job {job_id} has no dead letters: there is nothing to retry")
    return job.record


def _submission(record: Record, old: Composed, batch_size: int | None) -> Mapping[str, Any]:
    kept = {key: value for key, value in record.submission.items() if key not in (old.source.key, "output")}
    size = batch_size or getattr(old.submission.settings, "batch_size", 32)
    return {**kept, DEAD_LETTERS_KEY: {"job": record.job_id, "batch_size": size}}


def _spool(folder: JobFolder, hooks: Hooks, made: JobFolder) -> None:
    lock = JobLock(folder.lock)
    try:
        ledger = Ledger(folder.ledger)
        try:
            spool_dead_letters(_letters(ledger, hooks), made.spool)
        finally:
            ledger.close()
    finally:
        lock.release()


def _letters(ledger: Ledger, hooks: Hooks) -> Iterator[tuple[int, bytes]]:
    """Yield each dead letter, read again through its source, with the index that it has in the results."""
    inputs = dict(enumerate(ledger.inputs()))
    for ordinal, letters in itertools.groupby(ledger.dead_letters(), lambda letter: letter.ordinal):
        reference = next(ledger.slice_at(ordinal).references())
        (payload,) = list(hooks.read(inputs=inputs, references=[reference]) or ())
        lines = _lines(payload)
        first = reference.index if payload.index is None else payload.index
        for letter in letters:
            position = letter.index - reference.index
            yield first + position, lines[position]


def _lines(payload: Payload) -> dict[int, bytes]:
    """Return the line of each sample of a batch, by its position; what was no JSON is none again."""
    found = {bad.position: bad.raw for bad in payload.unreadable}
    raw = payload.raw if payload.raw is not None else [orjson.dumps(sample) for sample in payload.samples]
    positions = range(len(raw)) if payload.positions is None else payload.positions
    return found | dict(zip(positions, raw, strict=True))
