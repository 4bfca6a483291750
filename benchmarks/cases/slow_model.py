"""A model of 10 ms a batch: insula must not be what such a job waits for."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks import data, job, slow_hand
from benchmarks.compare import race
from benchmarks.measure import Run
from benchmarks.measure import run as start
from benchmarks.options import Options
from benchmarks.table import Figure

PREDICTOR = """
import time

class PythonPredictor:
    def __init__(self):
        pass

    def predict(self, payload):
        time.sleep(0.01)
        return [0 if row["sepal_length"] > 0 else 1 for row in payload]
"""


def run_by_hand(rows: Path, folder: Path) -> Run:
    return start([sys.executable, str(slow_hand.__file__), str(rows), str(folder), "32"])


def run(options: Options) -> list[Figure]:
    # Two workers, 100 batches of 32 a second each: 40 s.
    rows = data.iris(options.data, options.size(256_000, 6_400))
    project = job.make_project(options.work / "project", PREDICTOR)
    contestants = {"insula": partial(job.run_job, project, rows), "by hand": partial(run_by_hand, rows)}
    runs = race(contestants, options.repeat(3), options.work)
    ratio = runs["by hand"].seconds / runs["insula"].seconds
    note = f"{runs['by hand']} over {runs['insula']}"
    return [Figure("slow_model", "a loop by hand over insula, 10 ms a batch", ratio, at_least=0.99, note=note)]
