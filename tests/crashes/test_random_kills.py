"""A job whose coordinator and workers are killed at random moments, and resumed each time."""

from __future__ import annotations

import os
import random
import signal
import time

import attrs

SOAK = "INSULA_TEST_SOAK" in os.environ


@attrs.frozen
class Plan:
    """How large the job is, how long a batch takes, how often it is hit, and how long it is left alone in between."""

    rows: int
    pause: float
    coordinators: int
    workers: int
    gap: float


PLAN = Plan(1_000_000, 0.012, 30, 50, 4.0) if SOAK else Plan(100_000, 0.012, 6, 10, 1.6)


def test_random_kills(trials) -> None:
    seed = int(os.environ.get("INSULA_TEST_SEED", random.randrange(1 << 32)))
    print(f"INSULA_TEST_SEED={seed}")
    chance = random.Random(seed)
    trial = trials(batch_size=32)
    trial.write_rows(PLAN.rows, files=3)
    process = trial.run(PLAN.pause)
    victims = ["coordinator"] * PLAN.coordinators + ["worker"] * PLAN.workers
    chance.shuffle(victims)
    for victim in victims:
        time.sleep(chance.uniform(0, PLAN.gap))
        if victim == "coordinator":
            assert process.poll() != 0, "the job was over before all kills: its batches must take longer"
            trial.kill(process)
            process = trial.resume()
        else:
            process = kill_a_worker(trial, process, chance)
    while process.wait(600):
        # Three deaths in a row with nothing settled in between end a run, and the job goes on from there.
        assert trial.status()["status"] == "worker_error", trial.log()
        process = trial.resume()
    trial.check()
    # Some die before they are one: while they start.
    assert trial.summary()["coordinators"] > PLAN.coordinators // 2
    assert len(trial.events("interrupted")) > 0


def kill_a_worker(trial, process, chance: random.Random):
    """Kill one of the workers that are alive; return the coordinator, which is another if that one had given up."""
    while True:
        if (code := process.poll()) is not None:
            assert code == 1, f"the job was over before all kills: {trial.log()}"
            process = trial.resume()
        alive = trial.workers_alive()
        if alive:
            try:
                os.kill(chance.choice(alive), signal.SIGKILL)
            except ProcessLookupError:
                continue
            return process
        time.sleep(0.02)
