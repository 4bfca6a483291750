"""Running a job from its record: the first time, and every time after something died."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insula.coordinator.coordinator import Coordinator
from insula.coordinator.ending import Ending
from insula.coordinator.job import Job
from insula.coordinator.status import Progress
from insula.descriptors import Assignment, Service, SplitContext
from insula.documents import Document
from insula.errors import ConservationError, OutputError, SourceError, UserError
from insula.events import EventLog, Listener
from insula.executors.identity import end as end_process
from insula.executors.launching import Standby
from insula.folder import JobFolder
from insula.jobs import output as outputs
from insula.jobs.composing import Composed, compose, create_executor, shown_submission
from insula.jobs.ended import FINISHED
from insula.jobs.finishing import finish, iso_time, summarise
from insula.jobs.lock import JobLock
from insula.jobs.logs import LogBound
from insula.jobs.models import localise
from insula.jobs.record import Record
from insula.jobs.shortages import shortage, shortages_named
from insula.jobs.submitting import discard
from insula.ledger import Ledger
from insula.loading import CONFIG_FILE, merge
from insula.project.dotenv import read_dotenv
from insula.records import frozen
from insula.results.export import Exporter
from insula.spec import ApiSpec
from insula.spec.plain import to_plain
from insula.worker.cell import Doing, look

if TYPE_CHECKING:
    from insula.coordinator.services import Services


@frozen
class Watch:
    """Who watches a run; every function is called in the coordinator's thread.

    Args:
        began: with the coordinator, before anything runs; its `stop` may then be called from anywhere.
        progress: about ten times a second.
        event: with each line of the job's event log.
    """

    began: Callable[[Coordinator], None] | None = None
    progress: Callable[[Progress], None] | None = None
    event: Listener | None = None


@frozen
class Prepared:
    """What this process has ready for a run.

    Args:
        composed: what `submit` answered; without it the record is read anew.
        standby: interpreters started in advance, for the `process` executor; the caller closes it.
        keep_going: whether to run on although everything has failed so far.
    """

    composed: Composed | None = None
    standby: Standby | None = None
    keep_going: bool = False


def run(
    folder: JobFolder, record: Record, watch: Watch | None = None, prepared: Prepared | None = None
) -> dict[str, Any]:
    """Run a job to its end, from wherever it stands; return its summary.

    Args:
        watch: who is told what happens.
        prepared: what is ready already.

    Raises:
        UserError: if it cannot be run. If nothing was predicted so far, no job is left then.
        JobError: if it is running already.
    """
    with _shortages_named(folder, record):
        lock = JobLock(folder.lock)
    try:
        return _run_locked(folder, record, watch or Watch(), prepared or Prepared())
    finally:
        lock.release()


def _shortages_named(folder: JobFolder, record: Record) -> AbstractContextManager[None]:
    return shortages_named(outputs.place(record.output, folder), folder.root)


def _run_locked(folder: JobFolder, record: Record, watch: Watch, prepared: Prepared) -> dict[str, Any]:
    first = not folder.ledger.exists()
    try:
        with _shortages_named(folder, record), ExitStack() as stack:
            return _Run(folder, record, watch, stack, prepared).run()
    except UserError:
        if first and not _anything_settled(folder):
            outputs.abandon(record.output, folder)
            discard(folder)
        raise


def _anything_settled(folder: JobFolder) -> bool:
    if not folder.ledger.exists():
        return False
    try:
        ledger = Ledger(folder.ledger)
    except (UserError, sqlite3.Error):
        # On a full disk, say: what cannot be known is not thrown away.
        return True
    try:
        return ledger.state.settled > 0 or ledger.state.accounted > 0
    finally:
        ledger.close()


class _Run:
    """One life of a coordinator."""

    def __init__(self, folder: JobFolder, record: Record, watch: Watch, stack: ExitStack, prepared: Prepared) -> None:
        self._folder = folder
        self._record = record
        self._watch = watch
        self._logs = LogBound(folder)
        self._prepared = prepared
        outputs.claim(record.output, folder)
        composed = prepared.composed or compose(
            Document(CONFIG_FILE, record.entry), None, Document("the submission", record.submission)
        )
        self._ledger = Ledger(folder.ledger, create=True)
        stack.callback(self._ledger.close)
        self._crashed = self._take_over()
        self._events = stack.enter_context(EventLog(folder.events, watch.event))
        self._job = make_with_devices(folder, record, composed, self._ledger, stack)
        self._exporter = stack.enter_context(_exporter(self._ledger, folder.parts, self._job.output))
        # What ended with this coordinator died of it: its cells must not charge anyone at the next start.
        stack.callback(_clear, folder.cells)
        # Behind the workers, which may still call them while they end.
        self._services = _services(self._job, self._ledger, self._events, stack) if self._job.services else None
        options = {}
        if prepared.standby is not None:
            prepared.standby.keep(len(self._job.assignments))
            options["standby"] = prepared.standby
        self._executor = create_executor(record.executor, options)
        stack.callback(self._executor.close)

    def _take_over(self) -> list[Doing]:
        """Begin a new epoch: end what is left of earlier ones; return the batches they were predicting."""
        state, doing = self._ledger.state, []
        for name, pid, started in self._ledger.workers():
            end_process(pid, started)
            self._ledger.remove_worker(name)
        for cell in sorted(self._folder.cells.iterdir()):
            doing.append(look(cell)[0])
            cell.unlink()
        state.epoch += 1
        state.started = state.started or time.time()
        self._ledger.commit()
        self._folder.stop.unlink(missing_ok=True)
        return [one for one in doing if one is not None]

    def run(self) -> dict[str, Any]:
        job, ledger = self._job, self._ledger
        coordinator = Coordinator(
            job,
            ledger,
            self._exporter,
            self._executor,
            self._events,
            self._observe,
            keep_going=self._prepared.keep_going,
            services=self._services,
        )
        if ledger.state.epoch > 1:
            self._exporter.adopt()
            coordinator.work.coordinator_died(self._crashed)
            ledger.commit()
        self._events.emit("job_started", job_id=job.id, epoch=ledger.state.epoch, pid=os.getpid())
        coordinator.tell(coordinator.stands(time.monotonic()))
        if self._watch.began is not None:
            self._watch.began(coordinator)
        return self._end(coordinator, self._outcome(coordinator))

    def _observe(self, stands: Progress) -> None:
        self._logs.look()
        if self._watch.progress is not None:
            self._watch.progress(stands)

    def _outcome(self, coordinator: Coordinator) -> Ending:
        """Run the coordinator, and turn what ends it early into a status that can be resumed from."""
        try:
            ending = coordinator.run()
            if ending.status == "settled":
                ending = finish(self._job, self._ledger, self._exporter, coordinator)
        except KeyboardInterrupt:
            self._ledger.roll_back()  # it may have come in the middle of anything
            ending = Ending("stopped", "ended at once")
        except SourceError as error:
            if not self._ledger.state.settled:
                raise
            ending = Ending("enqueue_failed", str(error))
        except OutputError as error:
            ending = Ending("stopped", str(shortage(error, (self._job.output, self._folder.root)) or error))
        except ConservationError as error:
            ending = Ending("unexpected_error", str(error))
        except UserError:
            raise
        except BaseException as error:
            if shortage(error) is not None:
                raise  # it is named further up, and what would be written of it here might not be written either
            self._end(coordinator, Ending("unexpected_error", f"{type(error).__name__}: {error}"))
            raise
        if ending.status in FINISHED:
            coordinator.dismiss()  # every other end is the executor's to close, which ends workers at once
        return ending

    def _end(self, coordinator: Coordinator, ending: Ending) -> dict[str, Any]:
        summary = summarise(self._job, self._ledger, ending)
        self._events.emit("job_ended", status=ending.status, message=ending.message)
        coordinator.tell(coordinator.stands(time.monotonic()), **summary)
        if ending.status in FINISHED:
            outputs.release(self._record.output, self._folder)
        return summary


def _services(job: Job, ledger: Ledger, events: EventLog, stack: ExitStack) -> Services:
    # Not at the top: hardly any job has services.
    from insula.coordinator.services import Services

    services = Services(job, ledger, events)
    stack.callback(services.close)
    return services


def _clear(cells: Path) -> None:
    for cell in cells.iterdir():
        cell.unlink(missing_ok=True)


def make_job(folder: JobFolder, record: Record, composed: Composed, ledger: Ledger) -> Job:
    """Complete what was submitted: models brought here, devices assigned, environment and settings merged.

    Raises:
        UserError: if any of that cannot be done.
    """
    submission, project = composed.submission, Path(record.project)
    api = localise(composed.api, project, folder.models)
    config = merge(api.predictor.config, submission.config)
    assignments = composed.hooks.assign_devices(api.compute, submission.workers)
    environment = {**os.environ, **api.predictor.env}
    environment |= read_dotenv(project, environment)
    return Job(
        id=record.job_id,
        api_name=record.api_name,
        created=record.created,
        folder=folder,
        output=outputs.place(record.output, folder),
        destination=record.output,
        project=project,
        submission=submission,
        hooks=composed.hooks,
        predictor=composed.predictor_reference,
        hardware=composed.hardware_reference,
        source=composed.source_reference,
        settings=SplitContext(submission.settings, project, folder.spool),
        api=to_plain(api),
        config=config,
        assignments=assignments,
        services=_name_services(composed, api, config, project, assignments),
        memory=api.compute.mem,
        environment=environment,
        batch_prefix=record.batch_prefix,
        fingerprint=record.fingerprint,
        job_spec={
            **shown_submission(submission.raw, composed.source),
            "job_id": record.job_id,
            "api_name": record.api_name,
            "workers": len(assignments),
            "total_batch_count": None,
            "created_time": iso_time(record.created),
            "start_time": iso_time(ledger.state.started),
            "output": record.output,
        },
    )


def make_with_devices(folder: JobFolder, record: Record, composed: Composed, ledger: Ledger, stack: ExitStack) -> Job:
    """Make a job, and keep other jobs of this machine from the devices of its workers until the stack is closed.

    Raises:
        UserError: as `make_job` does, and if another job has one of the devices.
    """
    refused: Sequence[Assignment] | None = None
    while True:
        job = make_job(folder, record, composed, ledger)
        devices = [device for assignment in job.assignments for device in assignment.devices]
        if not devices:
            return job
        from insula.hardware.locks import DeviceInUseError, reserve

        try:
            stack.enter_context(reserve(devices, job.id))
            return job
        except DeviceInUseError:
            # Jobs that begin at once may all have found the same devices free; who looks again finds others.
            if job.assignments == refused:
                raise
            refused = job.assignments


def _name_services(
    composed: Composed, api: ApiSpec, config: Mapping[str, Any], project: Path, assignments: Sequence[Assignment]
) -> tuple[Service, ...]:
    if not composed.hooks.names_services:
        return ()
    from insula.descriptors import ServicesContext
    from insula.hardware.cores import available_cores
    from insula.jobs.services import name_services

    models = api.predictor.models.listed if api.predictor.models else ()
    cores = max(1, int(available_cores()))
    context = ServicesContext(api, config, project, len(assignments), cores, tuple(models))
    return name_services(composed.hooks, context, assignments)


@contextmanager
def _exporter(ledger: Ledger, parts: Path, output: Path) -> Iterator[Exporter]:
    target = output / outputs.PARTIAL
    final = output / outputs.PREDICTIONS
    if ledger.state.publishing and not target.exists() and final.exists():
        # The last coordinator died just behind the rename: give the file its working name back.
        final.replace(target)
    exporter = Exporter(ledger, parts, target)
    try:
        yield exporter
    finally:
        exporter.close()
