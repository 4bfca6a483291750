"""Where a user's jobs are: one folder each, under `INSULA_HOME`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from insula.errors import JobError
from insula.folder import JobFolder
from insula.jobs.record import make_id


def home() -> Path:
    """Return the folder of all state: `INSULA_HOME`, by default in the user's data folder."""
    chosen = os.environ.get("INSULA_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("insula", appauthor=False)


class JobStore:
    """The jobs of one home folder.

    Args:
        root: that folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._jobs = root / "jobs"

    def create(self) -> tuple[str, JobFolder]:
        """Make the folder of a new job; return its id too.

        Raises:
            JobError: if it cannot be made.
        """
        try:
            self._jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
            while True:
                job_id = make_id()
                folder = JobFolder(self._jobs / job_id)
                try:
                    folder.create()
                except FileExistsError:
                    continue
                return job_id, folder
        except OSError as error:
            raise JobError(
                f"jobs cannot be kept in {self._jobs}: {error.strerror}; set INSULA_HOME to a folder that is writable"
            ) from error

    def find(self, job_id: str) -> JobFolder:
        """Return the folder of a job, named by its id or the unambiguous beginning of it.

        Raises:
            JobError: if there is none, or more than one.
        """
        found = [folder for folder in self if folder.root.name.startswith(job_id)] if job_id else []
        exact = [folder for folder in found if folder.root.name == job_id]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if found:
            raise JobError(f"{job_id!r} may mean several jobs: {', '.join(folder.root.name for folder in found)}")
        raise JobError(f"there is no job {job_id!r} in {self._jobs}; `insula jobs` lists them")

    def __iter__(self) -> Iterator[JobFolder]:
        """Yield every job's folder, newest first."""
        try:
            names = sorted((path.name for path in self._jobs.iterdir()), reverse=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise JobError(
                f"jobs in {self._jobs} cannot be listed: {error.strerror}; is INSULA_HOME the right folder?"
            ) from error
        for name in names:
            folder = JobFolder(self._jobs / name)
            if folder.record.exists():
                yield folder
