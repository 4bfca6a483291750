"""The folder of one job: what lies where, and how a file in it is replaced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from insula import exact
from insula.records import frozen


@frozen
class JobFolder:
    """Where each file of a job lies; all are private to the user."""

    root: Path

    @property
    def record(self) -> Path:
        """The job as it was submitted; written once."""
        return self.root / "job.json"

    @property
    def ledger(self) -> Path:
        """The durable truth about every batch."""
        return self.root / "ledger.sqlite3"

    @property
    def lock(self) -> Path:
        """Held by the coordinator for as long as it lives."""
        return self.root / "lock"

    @property
    def status(self) -> Path:
        """What everyone but the coordinator reads, replaced once a second."""
        return self.root / "status.json"

    @property
    def events(self) -> Path:
        """What happened, in order."""
        return self.root / "events.jsonl"

    @property
    def stop(self) -> Path:
        """Its existence asks the coordinator to stop."""
        return self.root / "stop"

    @property
    def spool(self) -> Path:
        """Inputs that have no byte ranges of their own."""
        return self.root / "spool"

    @property
    def parts(self) -> Path:
        """What workers wrote."""
        return self.root / "parts"

    @property
    def cells(self) -> Path:
        """One progress cell for each worker process."""
        return self.root / "cells"

    @property
    def logs(self) -> Path:
        """stdout and stderr of each worker."""
        return self.root / "logs"

    @property
    def services(self) -> Path:
        """For each service a folder of its own, and its stdout and stderr beside it; made by the first one."""
        return self.root / "services"

    @property
    def results(self) -> Path:
        """Where results go unless the user wants them elsewhere."""
        return self.root / "results"

    @property
    def models(self) -> Path:
        """The cache of models, which all jobs of a user share."""
        return self.root.parents[1] / "models"

    @property
    def outputs(self) -> Path:
        """The claims of all jobs of a user on URLs to which their results go."""
        return self.root.parents[1] / "outputs"

    def create(self) -> None:
        """Make the folder and those in it."""
        self.root.mkdir(mode=0o700)
        for folder in (self.spool, self.parts, self.cells, self.logs):
            folder.mkdir(mode=0o700)


def replace(path: Path, value: Any, *, durable: bool = True, private: bool = True, users: bool = False) -> None:
    """Write `value` as JSON so that a reader finds the old file or the new one, never a part of either.

    Args:
        durable: whether it must survive a power cut.
        private: whether only the user may read it; otherwise the umask decides.
        users: whether the user's own settings or samples are in it, to be read back with `exact.loads`.
    """
    temporary = path.with_name(f".{path.name}.new")
    with open(temporary, "wb", opener=_private if private else None) as file:
        file.write(exact.dumps(value, users=users, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        if durable:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files that they name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
