"""One guilty sample among 100 000, in fast batches of 32: it costs itself and 13 calls, whatever it does."""

from __future__ import annotations

import json

import pytest

GUILTY = 54_321
MEMORY = "kept = []; [(kept.append(bytearray(50 << 20)), time.sleep(0.02)) for _ in range(20)]; time.sleep(60)"


def letters(job) -> list[dict]:
    return [json.loads(line) for line in (job.trial.output / "dead_letters.jsonl").read_bytes().splitlines()]


def ended(job, *words: str) -> None:
    """Check that exactly the guilty sample was given up, for a reason with these words, and by the rule of calls."""
    job.check()
    # Where a worker died, what it had predicted and not reported is predicted again, once.
    job.check_calls(again=1)
    (found,) = letters(job)
    assert found["attempts"] == 2
    for word in words:
        assert word in f"{found['error']['type']}: {found['error']['message']}"


def test_an_exception(poison) -> None:
    job = poison("raise ValueError('guilty')", [GUILTY])
    job.run()
    job.check()
    job.check_calls()
    (found,) = letters(job)
    assert (found["error"]["type"], found["error"]["message"]) == ("ValueError", "guilty")
    assert found["error"]["traceback"].count("predictor.py") == 2
    assert len(job.trial.events("worker_started")) <= 2


@pytest.mark.parametrize(
    "crime, words",
    [
        ("os._exit(3)", ["WorkerDied", "exit code 3"]),
        ("ctypes.string_at(0)", ["WorkerDied", "SIGSEGV"]),
        ("if os.fork(): os._exit(3)\n        time.sleep(600)", ["WorkerDied", "exit code 3"]),
    ],
    ids=["exit", "segfault", "exit that leaves a child"],
)
def test_the_end_of_the_worker(poison, crime: str, words: list[str]) -> None:
    job = poison(crime, [GUILTY])
    job.run()
    ended(job, *words)


def test_endless_loops(poison) -> None:
    """One in Python, one inside a C call that holds the GIL all along, side by side."""
    loops = "while index % 2: pass\n        re.match('(a+)+$', 'a' * 60 + 'b')"
    job = poison(loops, [GUILTY, GUILTY + 321])
    job.run(batch_timeout=1.0)
    job.check()
    # Two workers died in the middle of a lease.
    job.check_calls(again=2)
    assert {(one["attempts"], one["error"]["type"]) for one in letters(job)} == {(2, "BatchTimeout")}


def test_too_much_memory(poison) -> None:
    job = poison(MEMORY, [GUILTY], compute={"mem": "300M"})
    job.run()
    ended(job, "OutOfMemory", "compute.mem is 300,000,000")


@pytest.mark.parametrize("leader", ["", "os.setsid(), "], ids=["in the group", "in a group of its own"])
def test_a_child_that_lives_on_with_all_that_is_open(poison, leader: str) -> None:
    job = poison(f"os.fork() or ({leader}wait_for(HERE / 'over'))", [GUILTY], dead=[])
    job.run(0)
    # Of one in a group of its own, nobody can know that it came from a worker: it holds up nothing.
    assert len(job.trial.processes()) == bool(leader)
    (job.trial.folder / "over").touch()
    job.check()
    job.check_calls()


@pytest.mark.parametrize("crime", ["os.fork()", "os.fork() or sys.exit(0)"], ids=["returns", "exits"])
def test_a_child_that_comes_back_from_predict(poison, crime: str) -> None:
    """It has the worker's files, socket and progress cell, and must not go on as a second one."""
    job = poison(crime, [GUILTY], dead=[])
    job.run(0)
    job.check()
    job.check_calls()


def test_a_thread_that_never_ends(poison) -> None:
    thread = "threading.Thread(target=wait_for, args=[HERE / 'never']).start()"
    job = poison(f"{thread}; raise ValueError('guilty')", [GUILTY])
    job.trial.workers = 1
    job.run()
    ended(job, "ValueError: guilty")


def test_a_thread_that_raises_costs_nothing(poison) -> None:
    job = poison("threading.Thread(target=int, args=['no number']).start()", [GUILTY], dead=[])
    job.run(0)
    job.check()
    job.check_calls()
    assert "no number" in "".join(path.read_text() for path in (job.trial.job / "logs").iterdir())


def test_a_thread_that_ends_the_worker_later_costs_no_sample(poison) -> None:
    """Whichever batch is in `predict` then is charged, and is good at its next attempt."""
    job = poison("threading.Timer(0.02, os._exit, [3]).start()", [GUILTY], dead=[])
    job.run(0)
    job.trial.check(pieces={event["batch"] for event in job.trial.events("attempt_failed")})
