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
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return "" if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    except ProcessLookupError:
        return ""
    # Field 22; the name in field 2 may hold blanks and parentheses.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else f"{boot}:{fields[18]}"


def _started_by_ps(pid: int) -> str:
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def end(pid: int, start: str, patience: float = 10.0) -> bool:
    """End the process group of a worker that outlived its coordinator; return whether it was still there.

    Raises:
        JobError: if it does not end within `patience` seconds.
    """
    if not start or started(pid) != start:
        return False
    deadline = time.monotonic() + patience
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return True
    while started(pid) == start:
        if time.monotonic() > deadline:
            raise JobError(f"worker process {pid} of an earlier run does not end; it may be stuck in a system call")
        time.sleep(0.01)
    return True
