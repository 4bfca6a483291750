"""What the first second goes to: `import insula`, and a tiny job from command to exit."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

from benchmarks import data, job
from benchmarks.measure import Run, interleave
from benchmarks.measure import run as start
from benchmarks.options import Options
from benchmarks.table import Figure


def run_tiny_job(project: Path, rows: Path, folder: Path) -> Run:
    run = job.run_job(project, rows, folder)
    shutil.rmtree(folder)
    return run


def run(options: Options) -> list[Figure]:
    rows = data.iris(options.data, 10)
    project = job.make_project(options.work / "project", job.NOOP)
    contestants = {
        "bare": partial(start, [sys.executable, "-c", "pass"]),
        "import": partial(start, [sys.executable, "-c", "import insula"]),
        "job": partial(run_tiny_job, project, rows, options.work / "tiny"),
    }
    # The first round compiles bytecode.
    interleave(contestants, 1)
    runs = interleave(contestants, options.repeat(15))
    bare = runs["bare"].seconds
    imported, tiny = runs["import"].seconds - bare, runs["job"].seconds - bare
    note = f"over a bare interpreter of {bare * 1000:.0f} ms"
    return [
        Figure("import_time", "import insula", imported * 1000, "ms", at_most=80, note=note),
        Figure("import_time", "insula run on a tiny job, command to exit", tiny, "s", at_most=0.6, note=note),
    ]
