"""A job that is killed when 99 % of it is done: what is left should cost what it would cost alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import attrs

from benchmarks import data, job
from benchmarks.measure import Run, Runs, environment
from benchmarks.measure import run as start
from benchmarks.options import Options
from benchmarks.table import Figure

# While `closed` exists, each worker waits for ever at the first row of the last hundredth, in a file that says so. The
# count of batches is the predictor's own, since leases that were out at the kill are predicted again.
PREDICTOR = """
import mmap, os, time
from pathlib import Path

class PythonPredictor:
    def __init__(self, config):
        self.folder = Path(config["barrier"])
        self.limit = config["limit"] if (self.folder / "closed").exists() else float("inf")
        path = self.folder / f"count-{os.getpid()}"
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self.count = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")

    def predict(self, payload):
        if payload[0]["i"] >= self.limit:
            (self.folder / f"waits-{os.getpid()}").touch()
            time.sleep(3600)
        self.count[0] += 1
        return [0] * len(payload)
"""
WORKERS = 2
DEADLINE = 1800.0  # seconds for 99 % of the largest job


@attrs.frozen
class Trial:
    """One job, killed and resumed; how many batches were left, and their run alone."""

    resumed: Run
    left: int
    alone: Run


def run(options: Options) -> list[Figure]:
    batches = options.size(1_000_000, 10_000)
    project = job.make_project(options.work / "project", PREDICTOR)
    trials = [run_trial(project, batches, options) for _ in range(options.repeat(3))]
    resumed, alone = (
        Runs(tuple(trial.resumed for trial in trials)),
        Runs(tuple(trial.alone for trial in trials)),
    )
    left = median(trial.left for trial in trials)
    what = f"resume with {left:,.0f} of {batches:,} batches left, over these alone"
    note = f"{resumed} over {alone}"
    return [Figure("resume", what, resumed.seconds / alone.seconds, at_most=2, note=note)]


def run_trial(project: Path, batches: int, options: Options) -> Trial:
    """Kill a job behind 99 %, resume it, and run as many batches as were left."""
    folder, barrier = options.work / "trial", options.work / "barrier"
    barrier.mkdir()
    config = ("--config", f"barrier={barrier}", "--config", f"limit={batches * 99 // 100}")

    def command(rows: Path, output: str) -> list[str]:
        return [*job.submission(project, rows, folder / output, 1, WORKERS), *config]

    kill_behind(barrier, command(data.numbers(options.data, batches), "results"), folder / "home")
    resumed = start(job.insula("resume", only_job(folder / "home"), "--quiet"), folder / "home")
    left = sum(int.from_bytes(path.read_bytes(), sys.byteorder) for path in barrier.glob("count-*"))
    alone = start(command(data.numbers(options.work, left), "alone"), folder / "home")
    print(
        f"  {left} batches left: {resumed.seconds:.2f} s, alone {alone.seconds:.2f} s",
        file=sys.stderr,
        flush=True,
    )
    shutil.rmtree(folder)
    shutil.rmtree(barrier)
    return Trial(resumed, left, alone)


def kill_behind(barrier: Path, command: list[str], home: Path) -> None:
    """Start a job, kill its coordinator as soon as a worker waits and the others have done the rest, and open the barrier."""
    (barrier / "closed").touch()
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        deadline = time.monotonic() + DEADLINE
        while not any(barrier.glob("waits-*")):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"the job never came to 99 %: {process.stderr.read().decode(errors='replace')}")
            time.sleep(0.05)
        # What was reported before the workers came to wait is committed in this time.
        time.sleep(1)
        process.kill()
    for file in barrier.iterdir():
        file.unlink()


def only_job(home: Path) -> str:
    """The id of the one job there is."""
    printed = subprocess.run(job.insula("jobs", "--json"), env=environment(home), stdout=subprocess.PIPE, check=True)
    (found,) = json.loads(printed.stdout)
    return str(found["job_id"])
