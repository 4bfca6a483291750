"""The folder for a job's results, claimed so that two jobs never write into one."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from insula.errors import OutputError
from insula.folder import JobFolder
from insula.jobs.ended import has_ended

_CLAIM = ".insula-job.json"
PREDICTIONS = "predictions.jsonl"
DEAD_LETTERS = "dead_letters.jsonl"
SUMMARY = "summary.json"
PARTIAL = "predictions.jsonl.partial"


def claim(output: Path, job_id: str, folder: JobFolder) -> None:
    """Make the folder and claim it for a job; claim it again if the job has it already.

    Raises:
        OutputError: if it cannot be written, or another job that is not finished writes there.
    """
    mine = {"job_id": job_id, "folder": str(folder.root)}
    try:
        output.mkdir(parents=True, exist_ok=True)
        while not _create(output / _CLAIM, mine):
            other = _read(output / _CLAIM)
            if other == mine:
                return
            if other is not None and not has_ended(JobFolder(Path(other["folder"]))):
                raise OutputError(
                    f"{output} is being written by job {other['job_id']}, which is not finished: "
                    f"choose another folder, or finish it with `insula resume {other['job_id']}`"
                )
            (output / _CLAIM).unlink(missing_ok=True)
        if not os.access(output, os.W_OK):
            raise OutputError(f"{output} is not writable")
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"results cannot be written to {output}: {error.strerror}") from error
    (output / PARTIAL).unlink(missing_ok=True)


def release(output: Path) -> None:
    """Give up the claim; the results stay."""
    (output / _CLAIM).unlink(missing_ok=True)


def abandon(output: Path) -> None:
    """Take back a claim under which nothing was written, with whatever was begun."""
    (output / PARTIAL).unlink(missing_ok=True)
    release(output)
    try:
        output.rmdir()
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
