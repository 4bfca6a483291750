"""One run of a command: its time and its peak memory; and runs of several, interleaved."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import attrs

# A run takes an empty folder for what it leaves.
Contestant = Callable[[Path], "Run"]


class RunFailed(Exception):
    """A command ended with another exit code than 0."""


@attrs.frozen
class Run:
    """What one run took: seconds from start to exit, and the peak resident bytes of its largest process."""

    seconds: float
    peak: int


@attrs.frozen
class Runs:
    """Several runs of the same contestant."""

    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """The median time."""
        return median(run.seconds for run in self.runs)

    @property
    def peak(self) -> float:
        """The median peak, in bytes."""
        return median(run.peak for run in self.runs)

    def __str__(self) -> str:
        least, most = min(run.seconds for run in self.runs), max(run.seconds for run in self.runs)
        return f"{self.seconds:.2f} s ({least:.2f}–{most:.2f}), {self.peak / 2**20:.0f} MiB"


def run(command: Sequence[str], home: Path | None = None) -> Run:
    """Run a command to its end.

    Args:
        command: the program and its arguments.
        home: INSULA_HOME for it.

    Raises:
        RunFailed: with the end of what it printed.
    """
    # The last contestant's unwritten pages would otherwise be this one's to wait for.
    os.sync()
    with tempfile.TemporaryFile() as printed:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=printed, stderr=printed, env=environment(home))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            text = printed.read().decode(errors="replace")[-2000:]
            raise RunFailed(f"{' '.join(command)} ended with exit code {process.returncode}:\n{text}")
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def environment(home: Path | None = None) -> dict[str, str]:
    """The environment of a run: ours, with compiled bytecode and a home of its own."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return variables | ({"INSULA_HOME": str(home)} if home else {})


def interleave(contestants: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Runs]:
    """Run all contestants once a round, each round beginning with another one."""
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    names = list(contestants)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            runs[name].append(contestants[name]())
            print(
                f"  round {turn + 1} of {rounds}: {name} {runs[name][-1].seconds:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return {name: Runs(tuple(each)) for name, each in runs.items()}
