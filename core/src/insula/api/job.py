"""A job as an object: watched, waited for, stopped, gone on with, read."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from os import PathLike, fspath
from typing import Any

from insula.api.values import DeadLetter, JobStatus, Prediction, status_of
from insula.coordinator.status import Progress
from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs import asking, reading, retrying
from insula.jobs.composing import Composed
from insula.jobs.ended import FINISHED
from insula.jobs.listing import look_at
from insula.jobs.lock import is_held
from insula.jobs.record import Record
from insula.jobs.running import Prepared, Watch
from insula.jobs.running import run as run_job
from insula.jobs.store import JobStore
from insula.jobs.submitting import absolute
from insula.records import frozen

AnyPath = str | PathLike[str]
_POLL = 0.02
# How a coordinator says that KeyboardInterrupt ended it.
_AT_ONCE = ("stopped", "ended at once")


@frozen
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


@frozen
class Start:
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
        return status_of(self.folder)

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
        self.begin(Start(record, None, Watch(None, progress, event), keep_going))
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
        place = None if output is None else absolute(fspath(output))
        folder, record, composed = retrying.retry(
            self.folder, self._store, batch_size=batch_size, workers=workers, output=place
        )
        job = Job(folder, self._store)
        job.begin(Start(record, composed, Watch(None, progress, event), keep_going))
        return job

    # ------------------------------------------------------------------------------------------ results

    def results(self, *, with_retries: bool = False) -> Iterator[Prediction]:
        """Yield the predictions in the order of the input, read as they are asked for.

        Args:
            with_retries: whether the predictions of finished retries take the places of dead letters.

        Raises:
            JobError: if the job is not finished, or its results are gone.
        """
        # Not orjson, which reads integers of more than 64 bits as floats.
        lines = reading.predictions(self.folder, self._retries(with_retries))
        return (Prediction(**found) for found in map(json.loads, lines))

    def dead_letters(self, *, with_retries: bool = False) -> Iterator[DeadLetter]:
        """Yield the samples that were given up on, in the order of the input, read as they are asked for.

        Args:
            with_retries: whether to leave out those that a finished retry has dealt with.

        Raises:
            JobError: if the job is not finished, or its results are gone.
        """
        lines = reading.dead_letters(self.folder, self._retries(with_retries))
        return (DeadLetter(**found) for found in map(json.loads, lines))

    def _retries(self, wanted: bool) -> reading.Retries | None:
        return reading.Retries(self._store) if wanted else None

    # ------------------------------------------------------------------------------------------ threads

    def begin(self, start: Start) -> None:
        """Run in a thread of its own: workers die with the thread that started them, so it must be the job's."""
        self._ended = None
        self._thread = threading.Thread(
            target=self._run_in_thread, args=(start,), name=f"insula-job-{self.id}", daemon=True
        )
        self._thread.start()
        # Whoever asks for its status next, or has it stopped, is to find it running.
        while self._thread.is_alive() and not is_held(self.folder.lock):
            time.sleep(_POLL)

    def _run_in_thread(self, start: Start) -> None:
        try:
            self._ended = self.run(start)
        except BaseException as error:  # noqa: BLE001 (raised again where somebody waits)
            self._ended = error

    def run(self, start: Start) -> JobResult:
        """Run in the calling thread, to the end."""
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
