"""The locks of devices: a job has its devices alone on this machine, and a worker those of its assignment.

A coordinator reserves the devices of all its workers; a worker takes its own before user code runs, so that one that outlived
its coordinator still keeps them. Both are POSIX record locks: they die with their process, and no forked child keeps them.
Such a lock is lost as soon as its process closes any descriptor of the file, and does not exclude its own process, so each
file is opened once and a table remembers what this process holds.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from insula.errors import UserError

VARIABLE = "INSULA_DEVICE_LOCKS"
# A crashed holder is gone as soon as the system has taken back its memory, which for a large process takes a while.
PATIENCE = 30.0
# Somebody else who only looks holds a lock for an instant.
_LOOK_AGAIN = 0.5
_PAUSE = 0.02
_TABLES = ("reserved", "taken")

_held: dict[str, Mapping[str, Any]] = {}
_holding = threading.Lock()


class DeviceInUseError(UserError):
    """Somebody else has a device."""


class DeviceLocks:
    """Locks of devices, held until `release` or the end of the process.

    Args:
        table: `reserved` for a job, `taken` for a worker.
        devices: their names, as in `Assignment.devices`.
        holder: `job`, and for a worker `worker`; shown to whoever wants the same device.
        patience: how many seconds to wait for a device that is in use.

    Raises:
        DeviceInUseError: if a device stays in use, naming it and who has it.
        UserError: if there can be no locks where they are kept.
    """

    def __init__(self, table: str, devices: Iterable[str], holder: Mapping[str, str], patience: float) -> None:
        self._descriptors: dict[str, int] = {}
        devices, deadline = sorted(devices), time.monotonic() + patience
        # While somebody has a lock on their folder, cleaners of temporary files leave the files in it alone.
        self._folder = _open_folder(_folder(table)) if devices else None
        try:
            for device in devices:
                self._take(_folder(table) / quote(device, safe=""), device, {**holder, "pid": os.getpid()}, deadline)
        except OSError as error:
            self.release()
            raise _unkept(_folder(table), error) from error
        except BaseException:
            self.release()
            raise

    def _take(self, path: Path, device: str, holder: Mapping[str, Any], deadline: float) -> None:
        while (descriptor := _lock(path, holder)) is None:
            if time.monotonic() > deadline:
                raise DeviceInUseError(f"{_in_use(device, _holder(path))}; wait until it is free, or end it")
            time.sleep(_PAUSE)
        self._descriptors[str(path)] = descriptor

    def release(self) -> None:
        """Let others have the devices."""
        with _holding:
            for path, descriptor in self._descriptors.items():
                os.close(descriptor)
                _held.pop(path, None)
            self._descriptors.clear()
            if self._folder is not None:
                os.close(self._folder)
                self._folder = None

    def __enter__(self) -> DeviceLocks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def reserve(devices: Iterable[str], job: str) -> DeviceLocks:
    """Reserve devices for a job; of two jobs that want one, the second is told at once."""
    return DeviceLocks("reserved", devices, {"job": job}, _LOOK_AGAIN)


def take(devices: Iterable[str], job: str, worker: str, patience: float = PATIENCE) -> DeviceLocks:
    """Take the devices of a worker, waiting for a crashed holder to be gone."""
    return DeviceLocks("taken", devices, {"job": job, "worker": worker}, patience)


def in_use(devices: Iterable[str]) -> dict[str, str]:
    """Return those of the devices that a job or a worker has now, each with who that is.

    Raises:
        UserError: if there can be no locks where they are kept.
    """
    found: dict[str, str] = {}
    deadline = time.monotonic() + _LOOK_AGAIN
    for device in devices:
        for table in _TABLES:
            path = _folder(table) / quote(device, safe="")
            try:
                used = path.exists() and not _is_free(path, deadline)
            except OSError as error:
                raise _unkept(path.parent, error) from error
            if used:
                found[device] = _holder(path)
                break
    return found


def told(used: Mapping[str, str]) -> str:
    """Return which devices are in use by whom, as part of a message."""
    return "; ".join(_in_use(device, holder) for device, holder in used.items())


def _in_use(device: str, holder: str) -> str:
    return f"device {device} is in use by {holder}"


def _is_free(path: Path, deadline: float) -> bool:
    while not _try(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _try(path: Path) -> bool:
    with _holding:
        if str(path) in _held:
            return False
        descriptor = _open(path)
        try:
            # Shared: two who look at once must not take each other for holders.
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        finally:
            os.close(descriptor)
        return True


def _lock(path: Path, holder: Mapping[str, Any]) -> int | None:
    with _holding:
        if str(path) in _held:
            return None
        descriptor = _open(path)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, (BlockingIOError, PermissionError)):
                return None
            raise
        _held[str(path)] = holder
        return descriptor


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _holder(path: Path) -> str:
    with _holding:
        held = _held.get(str(path))
        if held is None:
            try:
                held = json.loads(path.read_bytes())
            except (OSError, ValueError):
                return "another process"
    worker = f"worker {held['worker']} of " if "worker" in held else ""
    return f"{worker}job {held['job']} (process {held['pid']})"


# ------------------------------------------------------------------------------------------------ where


def _folder(table: str) -> Path:
    """Return the folder of a table: one for all jobs of this user, whatever home of insula they have."""
    named = os.environ.get(VARIABLE)
    return (Path(named).expanduser().absolute() if named else Path(f"/tmp/insula-{os.getuid()}/devices")) / table


def _open_folder(folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(folder if os.environ.get(VARIABLE) else folder.parents[1])
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except OSError as error:
        raise _unkept(folder, error) from error
    return descriptor


def _unkept(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{folder}: the locks of devices cannot be kept there: {error.strerror}; set {VARIABLE} to a folder that every "
        "job of this machine may write to"
    )


def _check_owner(folder: Path) -> None:
    # Anyone may have made a folder of this name in /tmp.
    if folder.is_symlink() or folder.stat().st_uid not in (os.getuid(), 0):
        raise PermissionError(1, "it belongs to another user")
