"""Jobs from a program of one's own: `insula.run`, `insula.submit`, `insula.open_job`.

Nothing here touches what belongs to the host: no signal handlers, no logging set-up, no globals. A job runs in the thread
that runs it, with its workers in processes of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import attrs

from insula.coordinator.status import Progress
from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs import asking, reading
from insula.jobs import retrying as retries_of
from insula.jobs.composing import Composed
from insula.jobs.ended import FINISHED
from insula.jobs.listing import look_at, look_closely
from insula.jobs.lock import is_held
from insula.jobs.record import Record
from insula.jobs.running import Prepared, Watch
from insula.jobs.running import run as run_job
from insula.jobs.standing import standing
from insula.jobs.store import JobStore
from insula.jobs.store import home as default_home
from insula.jobs.submitting import Request
from insula.jobs.submitting import submit as submit_request

AnyPath = str | PathLike[str]
_POLL = 0.05
_BEGIN_PATIENCE = 60.0
# How a coordinator says that KeyboardInterrupt ended it.
_AT_ONCE = ("stopped", "ended at once")


@attrs.frozen
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


@attrs.frozen
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


@attrs.frozen
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


@attrs.frozen
class JobResult:
    """How a run of a job ended.

    Args:
        job: the job.
        status: `succeeded`, `completed_with_failures`, or why it is not finished.
        samples, predictions, dead_letters, stored_by_predictor: samples in, and where they went.
        output: the folder or URL of the results.
        message: what there is to say of the end, if anything.
        summary: all that `summary.json` says.
    """

    job: Job
    status: str
    samples: int
    predictions: int
    dead_letters: int
    stored_by_predictor: int
    output: str
    message: str
    summary: Mapping[str, Any]

    @property
    def succeeded(self) -> bool:
        """Whether every sample has a prediction, or the predictor stored it."""
        return self.status == "succeeded"

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do; otherwise `job.resume()` goes on."""
        return self.status in FINISHED


@attrs.frozen
class _Start:
    """What a run begins with."""

    record: Record
    composed: Composed | None
    watch: Watch
    keep_going: bool


class Job:
    """A job of this user, whoever runs it. Made by `run`, `submit` and `open_job`.

    Attributes:
        id: its id.
        folder: its files.
    """

    def __init__(self, folder: JobFolder, store: JobStore) -> None:
        self.id = folder.root.name
        self.folder = folder
        self._store = store
        self._thread: threading.Thread | None = None
        self._ended: JobResult | BaseException | None = None

    def __repr__(self) -> str:
        return f"<insula.Job {self.id}>"

    # ------------------------------------------------------------------------------------------ running

    def status(self) -> JobStatus:
        """Return how the job stands, a second old at most while it runs.

        Raises:
            JobError: if the job is gone: deleted, or refused before it predicted anything.
        """
        job = look_closely(self.folder)
        facts = standing(job)
        return JobStatus(
            job_id=self.id,
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

    def wait(self, timeout: float | None = None) -> JobResult:
        """Return how the job ended, as soon as it is not running any more, wherever it ran.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            TimeoutError: if it still runs then.
            UserError: if this object ran it, and it could not be run.
        """
        if self._thread is None:
            return self._wait_elsewhere(timeout)
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"job {self.id} still runs after {timeout:g} s")
        if isinstance(self._ended, BaseException):
            raise self._ended
        assert self._ended is not None
        return self._ended

    def _wait_elsewhere(self, timeout: float | None) -> JobResult:
        deadline = None if timeout is None else time.monotonic() + timeout
        while is_held(self.folder.lock):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"job {self.id} still runs after {timeout:g} s")
            time.sleep(_POLL)
        return self._result(self.status().facts)

    def stop(self, timeout: float = 60.0) -> bool:
        """Let the running batches finish, and no others begin; return whether the job has stopped.

        Args:
            timeout: seconds to wait for that; the request stands also after them.

        Raises:
            JobError: if the job is not running.
        """
        return asking.stop(self.folder, timeout)

    def resume(
        self,
        *,
        changed: bool = False,
        keep_going: bool = False,
        progress: Callable[[Progress], None] | None = None,
        event: Callable[[dict[str, Any]], None] | None = None,
    ) -> Job:
        """Go on with the job in a thread of this process; return it, so that `job.resume().wait()` reads well.

        A job that is finished stays as it is.

        Args:
            changed: whether a project that changed since the job began is accepted.
            keep_going, progress, event: see `run`.

        Raises:
            JobError: if it runs already, or the project changed and that is not accepted.
        """
        if look_at(self.folder).finished:
            self._thread = None
            return self
        if is_held(self.folder.lock):
            raise JobError(f"job {self.id} is running already")
        record = asking.record_to_resume(self.folder, changed=changed)
        self._begin(_Start(record, None, Watch(None, progress, event), keep_going))
        return self

    def retry(
        self,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
        output: AnyPath | None = None,
        keep_going: bool = False,
        progress: Callable[[Progress], None] | None = None,
        event: Callable[[dict[str, Any]], None] | None = None,
    ) -> Job:
        """Begin a new job over the dead letters of this one, which must be finished; return that.

        Args:
            batch_size, workers, output: in place of this job's; its output is not taken over.
            keep_going, progress, event: see `run`.

        Raises:
            JobError: if it is not finished, or has no dead letters.
        """
        place = None if output is None else _absolute(output)
        folder, record, composed = retries_of.retry(
            self.folder, self._store, batch_size=batch_size, workers=workers, output=place
        )
        job = Job(folder, self._store)
        job._begin(_Start(record, composed, Watch(None, progress, event), keep_going))
        return job

    # ------------------------------------------------------------------------------------------ results

    def results(self, *, with_retries: bool = False) -> Iterator[Prediction]:
        """Yield the predictions in the order of the input, read as they are asked for.

        Args:
            with_retries: whether the predictions of finished retries take the places of dead letters.

        Raises:
            JobError: if the job is not finished, or its results are gone.
        """
        lines = reading.predictions(self.folder, self._retries(with_retries))
        return (Prediction(**found) for found in map(_loads, lines))

    def dead_letters(self, *, with_retries: bool = False) -> Iterator[DeadLetter]:
        """Yield the samples that were given up on, in the order of the input, read as they are asked for.

        Args:
            with_retries: whether to leave out those that a finished retry has dealt with.

        Raises:
            JobError: if the job is not finished, or its results are gone.
        """
        lines = reading.dead_letters(self.folder, self._retries(with_retries))
        return (DeadLetter(**found) for found in map(_loads, lines))

    def _retries(self, wanted: bool) -> reading.Retries | None:
        return reading.Retries(self._store) if wanted else None

    # ------------------------------------------------------------------------------------------ threads

    def _begin(self, start: _Start) -> None:
        """Run in a thread of its own: workers die with the thread that started them, so it must be the job's."""
        begun = threading.Event()
        self._ended = None
        self._thread = threading.Thread(
            target=self._run_in_thread, args=(start, begun), name=f"insula-job-{self.id}", daemon=True
        )
        self._thread.start()
        # Whoever asks for its status next, or has it stopped, is to find it running.
        begun.wait(_BEGIN_PATIENCE)

    def _run_in_thread(self, start: _Start, begun: threading.Event) -> None:
        watch = attrs.evolve(start.watch, began=lambda _: begun.set())
        try:
            self._ended = self._run(attrs.evolve(start, watch=watch))
        except BaseException as error:  # noqa: BLE001 (raised again where somebody waits)
            self._ended = error
        finally:
            begun.set()

    def _run(self, start: _Start) -> JobResult:
        prepared = Prepared(start.composed, keep_going=start.keep_going)
        summary = run_job(self.folder, start.record, start.watch, prepared)
        if (summary["status"], summary.get("message")) == _AT_ONCE:
            raise KeyboardInterrupt(f"job {self.id} ended at once; job.resume() or `insula resume {self.id}` goes on")
        return self._result(summary)

    def _result(self, summary: Mapping[str, Any]) -> JobResult:
        return JobResult(
            job=self,
            status=summary["status"],
            samples=summary.get("samples") or 0,
            predictions=summary.get("predictions", 0),
            dead_letters=summary.get("dead_letters", 0),
            stored_by_predictor=summary.get("stored_by_predictor", 0),
            output=summary["output"],
            message=summary.get("message", ""),
            summary=summary,
        )


# ------------------------------------------------------------------------------------------------ the three ways in


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
    return job._run(start)


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
    job._begin(start)
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
) -> tuple[Job, _Start]:
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
    folder, record, composed = submit_request(request, store)
    return Job(folder, store), _Start(record, composed, Watch(None, progress, event), keep_going)


def _store(home: AnyPath | None) -> JobStore:
    return JobStore(default_home() if home is None else Path(home).expanduser().absolute())


def _absolute(path: AnyPath) -> str:
    text = fspath(path)
    return text if "://" in text else str(Path(text).expanduser().absolute())


def _loads(line: bytes) -> Any:
    import json

    # Not orjson: predictions may hold integers of any size, which it reads as floats.
    return json.loads(line)
