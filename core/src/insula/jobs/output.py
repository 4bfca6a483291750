"""The folder or URL for a job's results, claimed so that two jobs never write into one."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from insula.errors import OutputError, StorageError
from insula.folder import JobFolder
from insula.jobs.ended import has_ended
from insula.storage.urls import is_url, shown

_CLAIM = ".insula-job.json"
PREDICTIONS = "predictions.jsonl"
DEAD_LETTERS = "dead_letters.jsonl"
SUMMARY = "summary.json"
PARTIAL = "predictions.jsonl.partial"


def place(output: str, folder: JobFolder) -> Path:
    """Return the folder that results are written into: `output` itself, or the job's own if that is a URL."""
    return folder.results if is_url(output) else Path(output)


def claim(output: str, folder: JobFolder) -> None:
    """Make the folder and claim it for the job of `folder`, or claim a URL; nothing changes if the job has it already.

    Raises:
        OutputError: if it cannot be written, or another job that is not finished writes there.
    """
    here, path = place(output, folder), _claim_path(output, folder)
    try:
        here.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder.outputs / ".lock"):
            if not _claim(path, output, _claim_of(folder)):
                return
        if not os.access(here, os.W_OK):
            raise OutputError(f"{output} is not writable")
        if is_url(output):
            _try_out(output, path)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"results cannot be written to {shown(output)}: {_why(here, error)}; choose another folder (--output)"
        ) from error
    (here / PARTIAL).unlink(missing_ok=True)


def _why(here: Path, error: OSError) -> str:
    folders = (here, *here.parents)
    blocking = next((one for one in folders if os.path.lexists(one) and not os.path.isdir(one)), None)  # noqa: PTH112
    return f"{blocking} is a file" if blocking else str(error.strerror)


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Keep the jobs of one home from taking over the same stale claim together."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def _claim(path: Path, output: str, mine: dict[str, str]) -> bool:
    """Write the claim; return False if it was there already, and is the job's own."""
    while not _create(path, mine):
        other = _read(path)
        if other == mine:
            return False
        if other is not None and not has_ended(JobFolder(Path(other["folder"]))):
            raise OutputError(
                f"{shown(output)} is being written by job {other['job_id']}, which is not finished: "
                f"choose another folder, finish it with `insula resume {other['job_id']}`, "
                f"or give it up with `insula delete {other['job_id']}`"
            )
        path.unlink(missing_ok=True)
    return True


def _claim_path(output: str, folder: JobFolder) -> Path:
    if not is_url(output):
        return Path(output) / _CLAIM
    import hashlib

    # The jobs of one home know of each other, whatever the storage.
    return folder.outputs / f"{hashlib.sha256(output.rstrip('/').encode()).hexdigest()[:32]}.json"


def _try_out(url: str, claim: Path) -> None:
    """Find out that a URL cannot be written before a job has run for hours."""
    try:
        _write(claim, f"{url.rstrip('/')}/{_CLAIM}")
    except OutputError:
        claim.unlink(missing_ok=True)
        raise


def publish(output: str, path: Path) -> None:
    """Bring a finished file of results to where the user wants it; a file of that name is replaced.

    Raises:
        OutputError: if it cannot be written there.
    """
    if is_url(output):
        _write(path, f"{output.rstrip('/')}/{path.name}")


def _write(path: Path, url: str) -> None:
    from insula.storage.store import store_of

    try:
        store_of(url).write(path, url)
    except StorageError as error:
        raise OutputError(f"results cannot be written: {error}") from error


def release(output: str, folder: JobFolder) -> None:
    """Give up the job's claim, if it has it; the results stay."""
    path, mine = _claim_path(output, folder), _claim_of(folder)
    if _read(path) != mine:
        return
    # Once a job has ended, another one may take over its claim at any moment.
    with _one_at_a_time(folder.outputs / ".lock"):
        if _read(path) != mine:
            return
        path.unlink()
    if is_url(output):
        _delete(f"{output.rstrip('/')}/{_CLAIM}")


def _delete(url: str) -> None:
    from insula.storage.store import store_of

    with contextlib.suppress(StorageError):  # who may write need not be allowed to delete
        store_of(url).delete(url)


def _claim_of(folder: JobFolder) -> dict[str, str]:
    return {"job_id": folder.root.name, "folder": str(folder.root)}


def abandon(output: str, folder: JobFolder) -> None:
    """Take back a claim under which nothing was written, with whatever was begun."""
    here = place(output, folder)
    if _read(_claim_path(output, folder)) == _claim_of(folder):
        (here / PARTIAL).unlink(missing_ok=True)
    release(output, folder)
    try:
        here.rmdir()
    except OSError:
        pass  # it held something before


def _create(path: Path, content: dict[str, str]) -> bool:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(orjson.dumps(content))
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _read(path: Path) -> dict[str, str] | None:
    try:
        found: dict[str, str] = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return found
