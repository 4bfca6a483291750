"""Large jobs with poisoned samples, built on the trials of tests/crashes and checked by the same program."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

# conftest files are no modules that others can import by name.
_spec = importlib.util.spec_from_file_location("insula_trials", Path(__file__).parents[1] / "crashes" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_crashes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_crashes)

trials = _crashes.trials
trial = _crashes.trial
ROWS, SIZE = 100_000, 32

PREDICTOR = """
import ctypes, os, re, sys, threading, time
from pathlib import Path

HERE = Path(__file__).parent.parent
# Lines from several processes do not mix in a file that is appended to.
CALLS = os.open(HERE / "calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
GUILTY = set(map(int, (HERE / "guilty").read_text().split()))


def wait_for(path):
    while not path.exists():
        time.sleep(0.05)


class PythonPredictor:
    def __init__(self, config):
        self.output, self.done = config["output"], config["done"]
        START

    def predict(self, payload):
        os.write(CALLS, b"%d %d\\n" % (payload[0]["i"], len(payload)))
        for index in GUILTY.intersection(sample["i"] for sample in payload):
            self.crime(index)
        return [{"double": sample["i"] * 2, "text": f"é{sample['i']}"} for sample in payload]

    def crime(self, index):
        CRIME

    def on_job_complete(self):
        with Path(self.output, "predictions.jsonl").open("rb") as file:
            count = sum(1 for line in file)
        with open(self.done, "a") as file:
            file.write(f"{count}\\n")
"""

Calls = Counter[tuple[int, int]]


def rule(first: int, count: int, guilty: Iterable[int], attempts: int = 2) -> Calls:
    """Return the calls that a batch costs, by first sample and count.

    A whole batch and a sample alone have all attempts, a part has one; what is out of attempts is halved.
    """
    calls, bad = Counter(), set(guilty)

    def tried(first: int, count: int, attempts: int) -> None:
        failed = bool(bad.intersection(range(first, first + count)))
        calls[first, count] += attempts if failed else 1
        if failed and count > 1:
            half = count // 2
            for start, length in ((first, half), (first + half, count - half)):
                tried(start, length, total if length == 1 else 1)

    total = attempts
    tried(first, count, total)
    return calls


class Poison:
    """One job over many samples of which some are guilty.

    Args:
        trial: its folders.
        crime: what a guilty sample makes `predict` do: Python, on one line or on lines indented by 8.
        guilty: the samples.
        dead: those that are to become dead letters, by default all of them.
        start: what the constructor does besides.
        compute: the API's `compute`.
    """

    def __init__(
        self,
        trial,
        crime: str,
        guilty: Iterable[int],
        *,
        dead: Iterable[int] | None = None,
        rows: int = ROWS,
        start: str = "",
        compute: dict[str, str] | None = None,
    ) -> None:
        self.trial, self.guilty, self.rows = trial, sorted(guilty), rows
        self.dead = self.guilty if dead is None else sorted(dead)
        trial.write_project(PREDICTOR.replace("CRIME", crime or "pass").replace("START", start or "pass"))
        entry = json.loads((trial.project / "cortex.yaml").read_text())
        entry[0] |= {"compute": compute} if compute else {}
        (trial.project / "cortex.yaml").write_text(json.dumps(entry))
        (trial.folder / "guilty").write_text(" ".join(map(str, self.guilty)))
        trial.write_rows(rows)

    def start(self, *options: object, **submission: object):
        """Start the job; keywords are keys of its submission."""
        trial = self.trial
        source = {"paths": list(map(str, trial.inputs)), "batch_size": trial.batch_size}
        path = trial.folder / "submission.json"
        path.write_text(json.dumps({"delimited_files": source, **submission}))
        return trial.start(*trial.submission(), "--submission", path, *options)

    def run(self, code: int = 1, **submission: object) -> None:
        """Run the job to its end, which has an exit code."""
        self.trial.finish(self.start(**submission), (code,))

    def calls(self) -> Calls:
        """Return how often each piece was predicted, by its first sample and count."""
        lines = (self.trial.folder / "calls").read_text().splitlines()
        return Counter((int(first), int(count)) for first, count in map(str.split, lines))

    def batches(self) -> dict[int, set[int]]:
        """Return the dead samples of each batch that has any, by its first sample."""
        found: dict[int, set[int]] = {}
        for index in self.dead:
            found.setdefault(index // SIZE * SIZE, set()).add(index)
        return found

    def split_calls(self) -> tuple[dict[int, Calls], Calls]:
        """Return the calls for each batch with dead letters, by its first sample, and all others."""
        guilty: dict[int, Calls] = {first: Counter() for first in self.batches()}
        others: Calls = Counter()
        for call, count in self.calls().items():
            guilty.get(call[0] // SIZE * SIZE, others)[call] += count
        return guilty, others

    def rule(self, first: int) -> Calls:
        """Return what the batch of a first sample costs by the rule."""
        return rule(first, min(SIZE, self.rows - first), self.batches()[first])

    def check(self) -> None:
        """Check that every sample is predicted, once and right, but for the dead."""
        self.trial.check(dead=self.dead)

    def check_calls(self, again: int = 0) -> None:
        """Check that batches with dead letters cost what the rule says, and all others one call, or up to `again` more."""
        guilty, others = self.split_calls()
        for first in self.batches():
            assert guilty[first] == self.rule(first), f"batch of sample {first}"
        innocent = {first for first in range(0, self.rows, SIZE) if first not in guilty}
        assert set(others) == {(first, min(SIZE, self.rows - first)) for first in innocent}
        assert max(others.values()) <= 1 + again


@pytest.fixture
def poison(trials: Callable[..., object]) -> Callable[..., Poison]:
    """Makes jobs; the arguments are those of `Poison` without its trial."""
    return lambda *arguments, **more: Poison(trials(batch_size=SIZE, workers=2), *arguments, **more)
