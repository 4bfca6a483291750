"""The three ways to a job: run it here, begin it in a thread, open one that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from insula.api.job import AnyPath, Job, JobResult, Start
from insula.coordinator.status import Progress
from insula.errors import SourceError
from insula.jobs.running import Watch
from insula.jobs.store import JobStore
from insula.jobs.store import home as default_home
from insula.jobs.submitting import Request
from insula.jobs.submitting import submit as submit_request


def run(
    project: AnyPath,
    *,
    items: Iterable[Any] | None = None,
    inputs: AnyPath | Iterable[AnyPath] = (),
    submission: AnyPath | Mapping[str, Any] | None = None,
    api: str | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    output: AnyPath | None = None,
    config: Mapping[str, Any] | None = None,
    executor: str = "process",
    keep_going: bool = False,
    progress: Callable[[Progress], None] | None = None,
    event: Callable[[dict[str, Any]], None] | None = None,
    home: AnyPath | None = None,
) -> JobResult:
    """Run a project over its input, in this thread; return how it ended.

    Ctrl-C, where the host has it raise KeyboardInterrupt in this thread, ends the job at once and is raised again; the job
    can be resumed.

    Args:
        project: the folder with a `cortex.yaml`.
        items: samples, in place of the submission's input.
        inputs: files, folders or globs of JSON lines, in place of the submission's input.
        submission: a job submission, or its file; without it the project's `job.json`, if there is one.
        api: the API to run, where `cortex.yaml` holds several.
        batch_size, workers, output: laid over the submission.
        config: laid over `predictor.config`.
        executor: what starts the workers: `process`, `inline`, or a plugin's.
        keep_going: whether to run on although everything has failed so far.
        progress: called with how the job stands about ten times a second, in this thread.
        event: called with each line of the event log, in this thread.
        home: the folder of all state, in place of `INSULA_HOME`.

    Raises:
        UserError: with everything that is wrong; no job is left behind if nothing was predicted.
        KeyboardInterrupt: see above.
    """
    job, start = _submit(
        project, items, inputs, submission, api, batch_size, workers, output, config, executor, keep_going,
        progress, event, home,
    )  # fmt: skip
    return job.run(start)


def submit(
    project: AnyPath,
    *,
    items: Iterable[Any] | None = None,
    inputs: AnyPath | Iterable[AnyPath] = (),
    submission: AnyPath | Mapping[str, Any] | None = None,
    api: str | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    output: AnyPath | None = None,
    config: Mapping[str, Any] | None = None,
    executor: str = "process",
    keep_going: bool = False,
    progress: Callable[[Progress], None] | None = None,
    event: Callable[[dict[str, Any]], None] | None = None,
    home: AnyPath | None = None,
) -> Job:
    """Begin to run a project over its input, in a thread of this process; return the job.

    The thread is a daemon: a program that ends before `job.wait()` returned leaves the job interrupted, to be resumed.
    `progress` and `event` are called in that thread. All else is as for `run`.

    Raises:
        UserError: with everything that is wrong and can be seen without a worker; `wait` raises what one finds.
    """
    job, start = _submit(
        project, items, inputs, submission, api, batch_size, workers, output, config, executor, keep_going,
        progress, event, home,
    )  # fmt: skip
    job.begin(start)
    return job


def open_job(job_id: str, *, home: AnyPath | None = None) -> Job:
    """Return a job by its id, or the unambiguous beginning of it, whoever made or runs it.

    Args:
        home: the folder of all state, in place of `INSULA_HOME`.

    Raises:
        JobError: if there is none, or more than one.
    """
    store = _store(home)
    return Job(store.find(job_id), store)


def _submit(
    project: AnyPath,
    items: Iterable[Any] | None,
    inputs: AnyPath | Iterable[AnyPath],
    submission: AnyPath | Mapping[str, Any] | None,
    api: str | None,
    batch_size: int | None,
    workers: int | None,
    output: AnyPath | None,
    config: Mapping[str, Any] | None,
    executor: str,
    keep_going: bool,
    progress: Callable[[Progress], None] | None,
    event: Callable[[dict[str, Any]], None] | None,
    home: AnyPath | None,
) -> tuple[Job, Start]:
    request = Request(
        project=Path(project),
        api=api,
        submission=submission if submission is None or isinstance(submission, Mapping) else Path(submission),
        inputs=[fspath(inputs)] if isinstance(inputs, (str, PathLike)) else [fspath(path) for path in inputs],
        items=None if items is None else list(items),
        batch_size=batch_size,
        workers=workers,
        output=None if output is None else fspath(output),
        config=config or {},
        executor=executor,
    )
    store = _store(home)
    try:
        folder, record, composed = submit_request(request, store)
    except TypeError as error:
        if items is None:
            raise
        raise SourceError(f"items cannot be written as JSON: {error}; write them to a file, and give inputs") from error
    return Job(folder, store), Start(record, composed, Watch(None, progress, event), keep_going)


def _store(home: AnyPath | None) -> JobStore:
    return JobStore(default_home() if home is None else Path(home).expanduser().absolute())
