"""The lock that makes sure that two coordinators never run one job.

A POSIX record lock: it dies with its process, and no forked child keeps it (an flock survives in them). Such a lock is lost as
soon as its process closes any descriptor of the file, and does not exclude its own process, so each file is opened once and a
set remembers what this process holds.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
from pathlib import Path

import orjson

from insula.errors import JobError
from insula.executors.identity import started
from insula.folder import replace
from insula.ledger.mounts import on_network

# What the system says of a lock that another process has; anything else says that there can be none.
_TAKEN = (errno.EACCES, errno.EAGAIN)
_held: set[str] = set()
_holding = threading.Lock()


class JobLock:
    """The lock of one job, held until `release`.

    Args:
        path: the lock file; who holds it is written beside it, for messages.

    Raises:
        JobError: if another coordinator holds it, saying which.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = os.path.realpath(path)
        with _holding:
            if self._key in _held:
                raise JobError("the job is running already, in this process")
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._descriptor)
                if error.errno not in _TAKEN:
                    raise JobError(_unlockable(path, error)) from error
                raise JobError(f"the job is running already, {_holder(path)}") from error
            _held.add(self._key)
        pid = os.getpid()
        try:
            replace(_beside(path), {"host": socket.gethostname(), "pid": pid, "started": started(pid)}, durable=False)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let others have the job."""
        with _holding:
            _beside(self._path).unlink(missing_ok=True)
            os.close(self._descriptor)
            _held.discard(self._key)


def is_held(path: Path) -> bool:
    """Return whether some coordinator runs the job of a lock file."""
    with _holding:
        if os.path.realpath(path) in _held:
            return True
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False


def _unlockable(path: Path, error: OSError) -> str:
    where = f"{path.parent} lies on a network file system, and" if on_network(path.parent) else f"{path.parent}:"
    return f"{where} its files cannot be locked: {error.strerror}; set INSULA_HOME to a folder on a local disk"


def _beside(path: Path) -> Path:
    return path.with_name("lock.json")


def _holder(path: Path) -> str:
    try:
        holder = orjson.loads(_beside(path).read_bytes())
    except (OSError, json.JSONDecodeError):
        return "in another process"
    return f"in process {holder['pid']} on {holder['host']}"
