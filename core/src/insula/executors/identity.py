"""Telling a process from a later one with the same id, so that only workers of the job are ever ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from insula.errors import JobError


def started(pid: int) -> str:
    """Return when a process started, as text that no other process of that id has; empty if there is none."""
    fields = _stat(str(pid))
    if fields is None:
        return "" if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    return "" if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"


def _stat(pid: str) -> list[str] | None:
    """Return what the kernel says of a process, from field 3 (its state) on; None if there is none, or no /proc."""
    try:
        # The name in field 2 may hold blanks and parentheses.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _started_by_ps(pid: int) -> str:
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def has_ended(pid: int) -> bool:
    """Return whether a child of this process has ended; until it is waited for, its process id is nobody else's."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def signal_group(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to all of a process group that is led by a child of this process, if any of it is left."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # all of it is gone; macOS says EPERM of a group of zombies


def end(pid: int, start: str, patience: float = 10.0) -> bool:
    """End what is left of the process group of a worker that outlived its coordinator; return whether there was any.

    Raises:
        JobError: if it does not end within `patience` seconds.
    """
    if not _is_left(pid, start):
        return False
    deadline = time.monotonic() + patience
    while _is_left(pid, start):
        if time.monotonic() > deadline:
            raise JobError(f"worker process {pid} of an earlier run does not end; it may be stuck in a system call")
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return True


def _is_left(pid: int, start: str) -> bool:
    found = started(pid)
    if found or not start:
        return bool(start) and found == start
    # The worker is gone, as the system ends it with its parent, but not with what it started itself.
    return Path("/proc/self/stat").exists() and start.startswith(f"{_boot()}:") and _has_members(str(pid))


def _has_members(group: str) -> bool:
    """Return whether a process group is alive whose leader began a session, as workers do."""
    for entry in Path("/proc").iterdir():
        fields = _stat(entry.name) if entry.name.isdigit() else None
        if fields is not None and fields[2] == fields[3] == group and fields[0] not in "ZX":
            return True
    return False
