"""How much memory a worker has to itself, and whether the kernel has been ending processes for lack of it."""

from __future__ import annotations

import os
from pathlib import Path

_PRIVATE = (b"Private_Clean:", b"Private_Dirty:", b"Private_Hugetlb:")


def private_memory(group: int, proc: Path = Path("/proc")) -> int:
    """Return the private memory, in bytes, of a process group; pages shared with others (mapped models) do not count.

    Where the system does not tell (macOS), this is 0, and a limit has no effect.
    """
    total = 0
    for process in _members(group, proc):
        try:
            lines = (process / "smaps_rollup").read_bytes().splitlines()
        except OSError:
            continue  # it ended meanwhile, or is not ours to look at
        total += sum(int(line.split()[1]) for line in lines if line.startswith(_PRIVATE))
    return total * 1024


def _members(group: int, proc: Path) -> list[Path]:
    found = []
    for name in os.listdir(proc) if proc.exists() else ():
        if not name.isdigit():
            continue
        try:
            stat = (proc / name / "stat").read_bytes()
        except OSError:
            continue
        # Field 5; the name in field 2 may hold blanks and parentheses.
        if int(stat.rpartition(b")")[2].split()[2]) == group:
            found.append(proc / name)
    return found


def oom_kills(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many processes of our control group the kernel has ended for lack of memory, 0 if it does not tell."""
    try:
        own = (proc / "self" / "cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
        events = (cgroups / own / "memory.events").read_text().split()
    except OSError:
        return 0
    counts = dict(zip(events[::2], map(int, events[1::2]), strict=False))
    return counts.get("oom_kill", 0)
