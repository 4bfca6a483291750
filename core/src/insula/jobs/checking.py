"""What a job would be: everything that can be known of it without running a batch, one worker's own check included."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

from insula import plugins
from insula.coordinator.crew import Crew
from insula.coordinator.job import Job
from insula.descriptors import Assignment, Service
from insula.errors import UserError
from insula.events import EventLog
from insula.executors.interface import Died, Executor
from insula.folder import JobFolder
from insula.jobs.composing import Composed, create_executor
from insula.jobs.running import make_with_devices
from insula.jobs.scratch import scratch
from insula.jobs.shortages import shortages_named
from insula.jobs.submitting import JOB_FILE, Request, make_record
from insula.jobs.submitting import check as check_request
from insula.ledger import Ledger
from insula.plugins import Reference
from insula.project.files import project_files
from insula.records import frozen

_TICK = 0.1
_LAST_WORDS = 20
# Stands in where a project has no input yet: all else of it can be checked.
_NO_INPUT = {"item_list": {"items": [None]}}


@frozen
class ModelFile:
    """A model as workers will find it: a local file or folder, and its size in bytes."""

    name: str
    path: str
    size: int


@frozen
class Plan:
    """What a job would be.

    Args:
        project: the project folder.
        api_name, class_name, class_file: what would run; no class if the predictor type needs none.
        plugins: those that the job names: predictor type, hardware target, source, executor.
        files: the project's files that travel, relative to it.
        size: bytes of them.
        ignored: fields of cortex.yaml and of the submission that mean nothing here.
        models: where they are on this machine.
        assignments: one a worker.
        services: the servers that workers would share; none is started.
        output: where results would go; None for a folder of the job's own.
        source: the key of the input; None if there is none yet.
        faults: what the first worker finds wrong.
    """

    project: Path
    api_name: str
    class_name: str | None
    class_file: str | None
    plugins: Sequence[Reference]
    files: Sequence[str]
    size: int
    ignored: Sequence[str]
    models: Sequence[ModelFile]
    assignments: Sequence[Assignment]
    services: Sequence[Service]
    output: str | None
    source: str | None
    faults: Sequence[str]


def check_project(request: Request, home: Path) -> Plan:
    """Say what a request would run; start one worker, which checks itself, and end it before its first batch.

    Args:
        home: the folder of all state; models that come from a storage are fetched into its cache.

    Raises:
        UserError: with what is wrong before a worker could start.
    """
    empty = request.submission is None and not request.inputs and not (request.project / JOB_FILE).exists()
    if empty:
        request = attrs.evolve(request, submission=_NO_INPUT)
    composed = check_request(request)
    executor = plugins.find("insula.executors", request.executor)
    with scratch(home) as folder, ExitStack() as stack:
        record = make_record(request, composed, folder)
        ledger = Ledger(folder.ledger, create=True)
        stack.callback(ledger.close)
        events = stack.enter_context(EventLog(folder.events))
        job = make_with_devices(folder, record, composed, ledger, stack)
        engine = create_executor(record.executor, {})
        stack.callback(engine.close)
        faults = _preflight(job, Crew(job, ledger, engine, events), engine)
        return _plan(composed, job, executor, faults, empty=empty)


def _plan(composed: Composed, job: Job, executor: Reference, faults: Sequence[str], *, empty: bool) -> Plan:
    api, root = composed.api, job.project
    files = project_files(root)
    named = (composed.predictor_reference, composed.hardware_reference)
    return Plan(
        project=root,
        api_name=job.api_name,
        class_name=composed.kind.class_name,
        class_file=api.predictor.path if composed.kind.class_name else None,
        plugins=(*named, executor) if empty else (*named, composed.source_reference, executor),
        files=[str(path) for path in files],
        size=sum(_size(root / path) for path in files),
        ignored=(*api.ignored, *composed.submission.ignored),
        models=[_model(model) for model in job.api["predictor"]["models"]["listed"]],
        assignments=job.assignments,
        services=job.services,
        output=job.destination if composed.submission.output else None,
        source=None if empty else composed.source.key,
        faults=faults,
    )


def _model(model: Mapping[str, Any]) -> ModelFile:
    return ModelFile(model["name"], model["path"], _size(Path(model["path"])))


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


# ------------------------------------------------------------------------------------------------ the worker


def _preflight(job: Job, crew: Crew, executor: Executor) -> Sequence[str]:
    """Start one worker, and return what it finds wrong with its interpreter, the user's class and the models."""
    limit, began = job.submission.startup_timeout, time.monotonic()
    crew.staff(1)
    while limit is None or time.monotonic() - began <= limit:
        for found in executor.receive(_TICK):
            if isinstance(found, Died):
                return [f"the worker {found.cause} while it checked itself{_last_words(job.folder)}"]
            if found.frame["type"] == "checked":
                return list(found.frame["faults"])
    return [f"the worker had not checked itself within startup_timeout, {limit:g} s{_last_words(job.folder)}"]


def _last_words(folder: JobFolder) -> str:
    lines = [line for log in sorted(folder.logs.iterdir()) for line in _lines(log)]
    return "".join(f"\n  {line}" for line in lines[-_LAST_WORDS:])


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="backslashreplace").splitlines()


def faults_of(request: Request, home: Path) -> tuple[Plan | None, Sequence[str]]:
    """Return what a request would run, as far as that is clear, and everything that is wrong with it."""
    try:
        with shortages_named(home):
            plan = check_project(request, home)
    except UserError as error:
        return None, [str(error)]
    return plan, plan.faults
