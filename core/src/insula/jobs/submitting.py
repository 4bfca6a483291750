"""Submitting a job: everything that can be checked without running is checked, then the job exists."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from insula import __version__
from insula.documents import Document, read_document
from insula.folder import JobFolder
from insula.jobs import output as outputs
from insula.jobs.composing import Composed, compose
from insula.jobs.record import Record
from insula.jobs.shortages import shortages_named
from insula.jobs.store import JobStore
from insula.loading import merge, read_config
from insula.project.files import fingerprint
from insula.project.predictor_class import check_predictor, check_python_path
from insula.records import frozen
from insula.storage.urls import is_url, local_path
from insula.worker.batch_ids import make_prefix

JOB_FILE = "job.json"
_SOURCES = ("delimited_files", "file_path_lister", "item_list")


@frozen
class Request:
    """What is asked for, as it comes from a command line or a host program.

    Args:
        project: the project folder.
        api: the name of the API; None if cortex.yaml holds only one.
        submission: a file to read instead of the project's job.json, or what would be in it; None reads that if it is
            there.
        inputs: files, folders or globs of JSON lines, in place of the submission's source.
        batch_size, workers, output, config: laid over the submission.
        executor: what starts the workers.
        items: samples in place of the submission's source.
    """

    project: Path
    api: str | None = None
    submission: Path | Mapping[str, Any] | None = None
    inputs: Sequence[str] = ()
    batch_size: int | None = None
    workers: int | None = None
    output: str | None = None
    config: Mapping[str, Any] = attrs.field(factory=dict)
    executor: str = "process"
    items: Sequence[Any] | None = None


def check(request: Request) -> Composed:
    """Check a request, and the user's class as far as it can be seen without importing it.

    Raises:
        UserError: with every fault that was found.
    """
    project = _plain(request.project)
    composed = compose(read_config(project), request.api, _submission(request, project))
    predictor = composed.api.predictor
    if composed.kind.class_name is not None and predictor.path is not None:
        arguments = (*composed.kind.arguments, *composed.target.arguments)
        check_predictor(project, predictor.path, composed.kind.class_name, arguments)
        check_python_path(project, predictor.python_path)
    return composed


def submit(request: Request, store: JobStore) -> tuple[JobFolder, Record, Composed]:
    """Make a job of a request; return it with its plugins put together, for a `run` in the same process.

    Raises:
        UserError: if anything is wrong with it; no job is left behind then.
    """
    with shortages_named(store.root):
        composed = check(request)
        _, folder = store.create()
    try:
        record = make_record(request, composed, folder)
        with shortages_named(outputs.place(record.output, folder), folder.root):
            # Before the claim, which is good only as long as there is a job behind it.
            record.write(folder)
            outputs.claim(record.output, folder)
    except BaseException:
        discard(folder)
        raise
    return folder, record, composed


def make_record(request: Request, composed: Composed, folder: JobFolder) -> Record:
    """Return the record of what is asked for, as a job in `folder`."""
    project, asked = _plain(request.project), composed.submission.output
    output = _output(asked, project) if asked else str(folder.results)
    return Record(
        job_id=folder.root.name,
        api_name=composed.api.name,
        created=time.time(),
        project=str(project),
        entry=composed.api.raw,
        submission=composed.submission.raw,
        output=output,
        executor=request.executor,
        batch_prefix=make_prefix(),
        insula=__version__,
        fingerprint=_fingerprint(project, composed, outputs.place(output, folder)),
    )


def _output(asked: str, project: Path) -> str:
    return asked if is_url(asked) else str(_plain(Path(project, local_path(asked))))


def _fingerprint(project: Path, composed: Composed, output: Path) -> dict[str, str]:
    """Return the project's fingerprint, without results that lie in the project itself."""
    found = fingerprint(project, composed.api.raw)
    return {name: digest for name, digest in found.items() if output not in (project / name).parents}


def discard(folder: JobFolder) -> None:
    """Remove a job's folder."""
    import shutil

    shutil.rmtree(folder.root, ignore_errors=True)


# ------------------------------------------------------------------------------------------------ documents


def _submission(request: Request, project: Path) -> Document:
    """Return the submission with the request laid over it, lines of what was written kept."""
    if isinstance(request.submission, Mapping):
        document = Document("the submission", request.submission)
    elif request.submission is None and not (project / JOB_FILE).exists():
        document = Document("the submission", {})
    else:
        path = request.submission or project / JOB_FILE
        document = read_document(path, path.name)
    if not isinstance(document.data, Mapping):
        return document
    return attrs.evolve(document, data=_laid_over(document.data, request))


def _laid_over(written: Mapping[str, Any], request: Request) -> dict[str, Any]:
    data = dict(written)
    if request.items is not None:
        data = _instead(data, "item_list", "items", request.items)
    elif request.inputs:
        data = _instead(data, "delimited_files", "paths", [absolute(path) for path in request.inputs])
    if request.batch_size is not None:
        for source in _SOURCES:
            if isinstance(data.get(source), Mapping):
                data[source] = {**data[source], "batch_size": request.batch_size}
    if request.workers is not None:
        data["workers"] = request.workers
    if request.output is not None:
        data["output"] = absolute(request.output)
    if request.config:
        data["config"] = merge(data.get("config") or {}, request.config)
    return data


def _instead(data: Mapping[str, Any], source: str, key: str, value: Any) -> dict[str, Any]:
    """Return a submission with another source; of one of the same kind, the batch size is kept."""
    before = data.get(source)
    size = {"batch_size": before["batch_size"]} if isinstance(before, Mapping) and "batch_size" in before else {}
    return {**{name: one for name, one in data.items() if name not in _SOURCES}, source: {**size, key: value}}


def absolute(path: str) -> str:
    """Return a path of this process, whose working directory is not the project, or a URL as it is."""
    return path if "://" in path else str(_plain(Path(path).expanduser()))


def _plain(path: Path) -> Path:
    """Return an absolute path; links are followed only where it has a `..`, which means what they lead to."""
    return path.resolve() if ".." in path.parts else path.absolute()
