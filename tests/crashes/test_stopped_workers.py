"""Workers that are stopped (SIGSTOP) outlive their coordinator; another takes over; then they are continued.

What was committed before must be in the results byte for byte. Predictions of the second epoch have their keys in another
order, so that equal results are not enough.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

# Linux ends a worker with its parent; a worker itself ends when its socket closes. Both are off here, one by one.
SURVIVE = {
    "": "pass",
    "without a death signal": "__import__('ctypes').CDLL(None).prctl(1, 0)",
    "without anything": "__import__('ctypes').CDLL(None).prctl(1, 0); os.killpg = lambda *group: None",
}
ORDER = """
    def one(self, number):
        if Path(self.config["second"]).exists():
            return {"text": f"é{number}", "double": number * 2}
        return super().one(number)

    def predict(self, payload, batch_id):
        if not Path(self.config["second"]).exists():
            SURVIVE
        return super().predict(payload, batch_id)
"""


class Stopped:
    """A job whose workers are stopped and whose coordinator is dead."""

    def __init__(self, trial, predictor: str, survive: str) -> None:
        self.trial = trial
        base = predictor.replace("class PythonPredictor", "class First")
        trial.write_project(f"{base}\nclass PythonPredictor(First):{ORDER.replace('SURVIVE', SURVIVE[survive])}")
        trial.write_rows(2000, files=2)
        process = trial.run(0.02, second=trial.folder / "second")
        trial.wait(lambda: trial.status().get("accounted", 0) > 100, "some results")
        self.workers = trial.workers_alive()
        for pid in self.workers:
            os.kill(pid, signal.SIGSTOP)
        trial.kill(process)
        (trial.folder / "second").touch()
        self.parts = [path.open("rb") for path in sorted((trial.job / "parts").iterdir())]
        self.lengths = [os.fstat(part.fileno()).st_size for part in self.parts]
        self.committed = self.read_committed()

    def ledger(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.trial.job / "ledger.sqlite3"))

    def read_committed(self) -> bytes:
        """Return what the settled prefix was at the coordinator's death, from the parts."""
        parts = {Path(part.name).name: part.read() for part in self.parts}
        found, stop = [], 0
        with self.ledger() as ledger:
            rows = ledger.execute("SELECT sample, samples, part, offset, length FROM settled ORDER BY sample")
            for sample, samples, part, offset, length in rows:
                if sample != stop:
                    break
                stop += samples
                found.append(parts[part][offset : offset + length])
        assert stop > 100
        return b"".join(found)

    def forget(self) -> None:
        """Take the workers out of the ledger, as if they ran where the next coordinator cannot see them."""
        with self.ledger() as ledger, ledger:
            assert ledger.execute("DELETE FROM workers").rowcount == 2

    def go_on(self) -> None:
        for pid in self.workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def grown(self) -> bool:
        """Return whether a worker wrote to its part since it was stopped."""
        return [os.fstat(part.fileno()).st_size for part in self.parts] != self.lengths

    def end(self) -> None:
        for pid in set(self.workers) & self.trial.processes():
            os.kill(pid, signal.SIGKILL)

    def check(self) -> None:
        self.trial.check()
        results = (self.trial.output / "predictions.jsonl").read_bytes()
        assert results.startswith(self.committed)
        assert b'"prediction":{"text"' not in self.committed
        assert b'"prediction":{"text"' in results[len(self.committed) :]


@pytest.fixture
def stopped(trial, predictor: str):
    made: list[Stopped] = []

    def stop(survive: str) -> Stopped:
        made.append(Stopped(trial, predictor, survive))
        return made[0]

    yield stop
    for part in made[0].parts:
        part.close()


def test_stopped_workers_end_with_their_coordinator(stopped, trial) -> None:
    job = stopped("")
    trial.wait(lambda: not trial.processes(), "the end of the workers")
    trial.finish(trial.resume())
    job.go_on()
    job.check()


def test_workers_that_are_still_there_are_ended_by_the_next_coordinator(stopped, trial) -> None:
    job = stopped("without a death signal")
    assert trial.workers_alive() == job.workers
    process = trial.resume()
    trial.wait(lambda: not set(job.workers) & trial.processes(), "the end of the old workers")
    job.go_on()
    trial.finish(process)
    job.check()
    assert not job.grown()


def test_continued_workers_end_when_they_find_their_coordinator_gone(stopped, trial) -> None:
    job = stopped("without a death signal")
    job.forget()
    process = trial.resume()
    trial.wait(lambda: len(trial.events("worker_ready")) == 4, "the new workers")
    assert set(job.workers) <= trial.processes()
    job.go_on()
    trial.wait(lambda: not set(job.workers) & trial.processes(), "the end of the old workers")
    trial.finish(process)
    job.check()


def test_workers_that_go_on_beside_the_next_coordinator_harm_nothing(stopped, trial) -> None:
    job = stopped("without anything")
    job.forget()
    process = trial.resume()
    trial.wait(lambda: len(trial.events("worker_ready")) == 4, "the new workers")
    job.go_on()
    trial.wait(job.grown, "old workers to write")
    trial.finish(process)
    job.end()
    job.check()


def test_workers_that_go_on_after_the_job_harm_nothing(stopped, trial) -> None:
    job = stopped("without anything")
    job.forget()
    trial.finish(trial.resume())
    job.go_on()
    trial.wait(job.grown, "old workers to write")
    job.end()
    job.check()
