"""From ten thousand to a million batches: time grows in proportion and memory does not grow; what is left at 99 % is cheap."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

ZERO = """
import os, time
from pathlib import Path

class PythonPredictor:
    def __init__(self, config):
        self.limit = config.get("limit")

    def predict(self, payload):
        if self.limit is not None and payload[0]["i"] >= self.limit:
            barrier = Path(__file__).parent.parent
            if not (barrier / "open").exists():
                (barrier / f"waits-{os.getpid()}").touch()
                time.sleep(600)
        return [0] * len(payload)
"""


@attrs.frozen(order=True)
class Cost:
    """Seconds from start to exit, and the coordinator's peak of resident bytes."""

    seconds: float
    peak: int


def peak_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


@attrs.define
class Jobs:
    """Jobs of one sample a batch, whose lines are as short as can be."""

    make: Callable[..., object]
    made: dict[str, object] = attrs.field(factory=dict)

    def prepare(self, name: str, rows: range):
        trial = self.made[name] = self.make(batch_size=1)
        trial.write_project(ZERO)
        path = trial.folder / "rows.jsonl"
        path.write_text("".join(f'{{"i":{row}}}\n' for row in rows))
        trial.inputs = [path]
        return trial

    def cost(self, trial, process, begun: float) -> Cost:
        """Wait for a job; its memory is that of the process itself, whatever its workers took.

        Asked for while it runs: what the system says of a process at its end counts the process that it was forked from.
        """
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_of(process.pid))
            time.sleep(0.01)
        seconds = time.monotonic() - begun
        assert process.returncode == 0, trial.log()
        return Cost(seconds, peak)

    def run(self, count: int) -> Cost:
        trial = self.prepare(str(count), range(count))
        begun = time.monotonic()
        return self.cost(trial, trial.run(), begun)


@pytest.fixture
def jobs(trials) -> Jobs:
    return Jobs(trials)


def test_time_grows_in_proportion_and_memory_does_not_grow(jobs: Jobs) -> None:
    costs = {count: jobs.run(count) for count in (10_000, 100_000, 1_000_000)}
    print(costs)
    for count, trial in ((int(name), trial) for name, trial in jobs.made.items()):
        assert trial.summary()["predictions"] == count
        with (trial.output / "predictions.jsonl").open("rb") as file:
            assert sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) == count
    each = {count: cost.seconds / count for count, cost in costs.items()}
    assert each[1_000_000] <= 1.5 * each[100_000]
    assert costs[1_000_000].peak <= 1.5 * costs[10_000].peak


def test_a_resume_costs_what_is_left(jobs: Jobs) -> None:
    """The coordinator is killed at 99 %; what is left is compared with as much alone, and with the start of a tiny job."""
    count, left = 300_000, 3_000
    trial = jobs.prepare("all", range(count))
    process = trial.run(limit=count - left)
    trial.wait(lambda: len(list(trial.folder.glob("waits-*"))) == 2, "both workers at 99 %")
    trial.wait(lambda: trial.status().get("accounted", 0) > count - 2 * left, "99 % in the ledger")
    process.send_signal(signal.SIGKILL)
    process.wait()
    (trial.folder / "open").touch()
    begun = time.monotonic()
    resumed = jobs.cost(trial, trial.resume(), begun)
    assert trial.summary()["predictions"] == count
    alone = min(jobs.run(left) for _ in range(2))
    start = min(jobs.run(1) for _ in range(2))
    print(resumed, alone, start)
    assert resumed.seconds <= 2 * alone.seconds + start.seconds
