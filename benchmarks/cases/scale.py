"""From ten thousand to ten million batches: time grows in proportion, memory does not grow."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks import data, job
from benchmarks.measure import Run, Runs, interleave
from benchmarks.options import Options
from benchmarks.table import Figure

FULL = (10_000, 100_000, 1_000_000, 10_000_000)
SMALL = (1_000, 10_000)


def run_job(project: Path, rows: Path, folder: Path) -> Run:
    run = job.run_job(project, rows, folder, batch_size=1)
    shutil.rmtree(folder)
    return run


def memory(runs: Mapping[int, Runs]) -> Figure:
    """The peak is that of the largest process: the coordinator, since a worker holds two leases at most."""
    least, most = min(runs), max(runs)
    what = f"peak memory at {most:,} batches over {least:,}"
    note = f"{runs[most]} over {runs[least]}"
    return Figure("scale", what, runs[most].peak / runs[least].peak, at_most=1.5, note=note)


def slopes(runs: Mapping[int, Runs]) -> list[Figure]:
    """The time of one further batch between each size and the next; the last over the one before it is the growth."""
    steps = list(pairwise(sorted(runs)))
    times = [(runs[more].seconds - runs[less].seconds) / (more - less) * 1e6 for less, more in steps]
    figures = [
        Figure("scale", f"a further batch, {less:,} to {more:,}", time, "µs")
        for (less, more), time in zip(steps, times, strict=True)
    ]
    if len(times) > 1:
        growth = times[-1] / times[-2]
        figures.append(Figure("scale", "a further batch, last step over the one before", growth, at_most=1.25))
    return figures


def run(options: Options) -> list[Figure]:
    sizes = SMALL if options.small else [size for size in FULL if size <= (options.rows or FULL[-1])]
    project = job.make_project(options.work / "project", job.ZERO)
    contestants = {
        str(size): partial(run_job, project, data.numbers(options.data, size), options.work / str(size))
        for size in sizes
    }
    runs = {int(size): each for size, each in interleave(contestants, options.repeat(1)).items()}
    return [memory(runs), *slopes(runs)]
