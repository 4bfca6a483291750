"""Much that is guilty at once: single samples are isolated, whole batches trip the breaker, all of it ends the job."""

from __future__ import annotations

import json
import random
import re
import time

SIZE = 32
RAISE = "raise ValueError(f'guilty: {index}')"


def letters(job) -> list[dict]:
    return [json.loads(line) for line in (job.trial.output / "dead_letters.jsonl").read_bytes().splitlines()]


def test_two_hundred_spread(poison) -> None:
    """Anywhere: in one batch of sixteen, which is more than the breaker allows to be lost, but none is lost whole."""
    job = poison(RAISE, random.Random(200).sample(range(100_000), 200))
    job.run()
    job.check()
    job.check_calls()
    assert {one["error"]["message"] for one in letters(job)} == {f"guilty: {index}" for index in job.guilty}


def test_two_hundred_in_a_row(poison) -> None:
    """Eight batches, some of them guilty from end to end."""
    job = poison(RAISE, range(50_010, 50_210))
    job.run()
    job.check()
    job.check_calls()


def test_two_hundred_neighbours(poison) -> None:
    """One in each of 200 batches that follow each other."""
    job = poison(RAISE, [batch * SIZE + 7 for batch in range(100, 300)])
    job.run()
    job.check()
    job.check_calls()


def test_whole_batches_are_given_up_where_many_are_lost(poison) -> None:
    """All of 400 batches in a row: more than one in twenty of 3125, so that the last ones are not halved any more."""
    job = poison(RAISE, range(100 * SIZE, 500 * SIZE))
    job.run()
    job.check()
    calls, others = job.split_calls()
    given_up = [first for first, made in calls.items() if made == {(first, SIZE): 2}]
    isolated = [first for first in calls if calls[first] == job.rule(first)]
    # It opens at 20 lost batches at the earliest, and at 5 % of all that there are at the latest; at that moment pieces of
    # four batches at most are under way, two leases a worker; and pieces of as many again may wait below: what fails last is
    # tried first, so that a whole lease that fails comes before the pieces that are being tried when its report comes in.
    assert 20 <= len(isolated) <= 3125 // 20 + 1
    assert len(given_up) + len(isolated) >= 400 - 2 * 4
    assert set(others.values()) == {1}


def test_a_predictor_that_always_raises(poison) -> None:
    job = poison("", [])
    predictor = job.trial.project / "predictor.py"
    innocent = predictor.read_text()
    predictor.write_text(innocent.replace("        return [", "        payload[0]['weight']\n        return ["))
    begun = time.monotonic()
    job.run()
    assert time.monotonic() - begun < 30
    assert 10 <= sum(job.calls().values()) < 200
    status = job.trial.status()
    assert (status["status"], status["dead"]) == ("worker_error", 0)
    for shown in (job.trial.log(), status["message"]):
        # Both workers may report in one turn.
        assert re.search("the first 1[012] batches all failed: KeyError: 'weight'", shown)
        assert shown.count("Traceback") == shown.count('predictor.py", line') == 1
    assert not job.trial.processes()
    assert not (job.trial.output / "predictions.jsonl").exists()
    # Nothing was given up: mended, the job is as good as new.
    predictor.write_text(innocent)
    job.trial.finish(job.trial.start("resume", job.trial.job.name, "--changed", "--quiet"))
    job.check()
