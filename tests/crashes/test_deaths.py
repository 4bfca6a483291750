"""A sample that ends its worker costs itself and nothing else, however it does so and wherever it stands."""

from __future__ import annotations

import json
from collections import Counter

import pytest

GUILTY = """
    def one(self, number):
        if number == self.config["guilty"]:
            {crime}
        return super().one(number)

    def predict(self, payload, batch_id):
        with open(self.config["calls"], "a") as file:
            file.write(f"{{payload[0]['i']}} {{len(payload)}}\\n")
        return super().predict(payload, batch_id)
"""
CRIMES = {
    "raise": "raise ValueError('guilty')",
    "sys.exit": "raise SystemExit(3)",
    "exit": "os._exit(3)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "abort": "os.abort()",
    "kill": "os.kill(os.getpid(), 9)",
    "fork and exit": "os.fork() and os._exit(3); time.sleep(600)",
}
# One guilty sample in 32, one retry: two calls of the batch, two of each half down to two samples, two of the sample alone,
# and one more for the other one of the last two.
CALLS = 13


def run(trial, predictor: str, crime: str, guilty: int, rows: int, **config: object) -> Counter[tuple[int, int]]:
    """Run a job over rows with a guilty sample; return how often each piece was predicted, by first sample and count."""
    base = predictor.replace("class PythonPredictor", "class Innocent")
    trial.write_project(f"{base}\nclass PythonPredictor(Innocent):{GUILTY.format(crime=CRIMES[crime])}")
    trial.write_rows(rows)
    trial.finish(trial.run(guilty=guilty, calls=trial.folder / "calls", **config), (1,))
    trial.check(dead=[guilty])
    lines = (trial.folder / "calls").read_text().splitlines()
    return Counter((int(first), int(count)) for first, count in map(str.split, lines))


def in_batch(calls: Counter[tuple[int, int]], guilty: int, size: int) -> dict[tuple[int, int], int]:
    batch = guilty // size
    return {call: count for call, count in calls.items() if call[0] // size == batch}


@pytest.mark.parametrize("crime", [crime for crime in CRIMES if crime != "kill"])
@pytest.mark.parametrize("where", ["first", "middle", "last", "only"])
def test_one_guilty_sample_in_32(trials, predictor: str, crime: str, where: str) -> None:
    trial = trials(batch_size=32, workers=1 if where == "only" else 2)
    rows = 32 if where == "only" else 960
    guilty = {"first": 0, "middle": 500, "last": 959, "only": 5}[where]
    calls = run(trial, predictor, crime, guilty, rows)
    assert sum(in_batch(calls, guilty, 32).values()) == CALLS
    assert max(calls.values()) <= 2
    letter = json.loads((trial.output / "dead_letters.jsonl").read_bytes())
    assert letter["attempts"] == 2
    assert trial.summary()["batches_failed"] == 1


def test_what_nobody_can_explain_has_a_budget_before_it_is_an_attempt(trials, predictor: str) -> None:
    trial = trials(batch_size=4)
    calls = run(trial, predictor, "kill", 101, 4000, pause=0.004)
    # Five interruptions each; then two attempts of the batch, one of the half, two of the sample.
    assert in_batch(calls, 101, 4) == {(100, 4): 7, (100, 2): 6, (100, 1): 1, (101, 1): 7, (102, 2): 1}
    assert trial.summary()["interruptions"] == 20
    # Others are predicted again only where the death of a worker lost their report.
    assert set(calls) - set(in_batch(calls, 101, 4)) == {(first, 4) for first in range(0, 4000, 4) if first != 100}


def test_a_worker_that_is_killed_from_outside_again_and_again(trials, predictor: str) -> None:
    """Twice the budget of one sample, by a killer who waits for the worker to be at it."""
    trial = trials(batch_size=2)
    trial.write_project(predictor.replace("return [", "self.wait(payload); return [") + WAIT)
    trial.write_rows(400)
    process = trial.run(pause=0.002, waits=trial.folder / "waits", guilty=31)
    waits = trial.folder / "waits"
    killed = 0
    while process.poll() is None:
        try:
            pid = int(waits.read_text())
        except (FileNotFoundError, ValueError):
            continue
        waits.unlink()
        trial.kill_worker(pid)
        killed += 1
    trial.finish(process, (1,))
    trial.check(dead=[31])
    # The batch: 5 and 2; the sample alone: 5 and 2.
    assert killed == 14
    assert trial.summary()["interruptions"] == 14


WAIT = """
    def wait(self, payload):
        if any(sample["i"] == self.config["guilty"] for sample in payload):
            path = Path(self.config["waits"])
            path.with_suffix(".new").write_text(str(os.getpid()))
            path.with_suffix(".new").rename(path)
            time.sleep(600)
"""


def test_a_job_where_every_batch_ends_its_worker_ends_soon_and_can_be_resumed(trial, predictor: str) -> None:
    trial.batch_size = 32
    trial.write_project(predictor.replace("time.sleep", "print('dying'); os._exit(3); time.sleep"))
    trial.write_rows(960)
    trial.finish(trial.run(), (1,))
    assert trial.status()["status"] == "worker_error"
    assert "exit code 3" in trial.status()["message"]
    assert len(trial.events("worker_started")) <= 12
    trial.write_project(predictor)
    trial.finish(trial.start("resume", trial.job.name, "--changed", "--quiet"))
    trial.check(pieces={event["batch"] for event in trial.events("attempt_failed")})


def test_a_job_whose_workers_cannot_start_ends_after_three(trial, predictor: str) -> None:
    trial.write_project(predictor.replace("self.config = config", "os._exit(4)"))
    trial.write_rows(96)
    trial.finish(trial.run(), (1, 2))
    assert "exit code 4" in trial.log()
    assert not trial.done.exists()
