"""Each limit ends what it says and nothing else; all is kept, and the job can be resumed where there is a way."""

from __future__ import annotations

import time

# Whoever makes the file hangs.
HANG_ONCE = "(HERE / 'once').exists() or ((HERE / 'once').touch(), time.sleep(600))"
PAUSE = "time.sleep(0.3)"


def resume(job, *codes: int) -> None:
    job.trial.finish(job.trial.resume(), codes)


def ended(job, status: str, *words: str) -> None:
    """Check how a job ended, that it can be resumed, and that nobody is left who works on it."""
    found = job.trial.status()
    assert found["status"] == status
    for word in words:
        assert word in found["message"]
        assert word in job.trial.log()
    assert "insula resume" in job.trial.log()
    assert not job.trial.processes()
    assert not (job.trial.output / "predictions.jsonl").exists()


def test_max_failed_batches(poison) -> None:
    guilty = range(1000, 100_000, 10_000)
    job = poison("raise ValueError('guilty')", guilty)
    job.run(max_failed_batches=3)
    ended(job, "worker_error", "batches failed; max_failed_batches is 3")
    # Two workers may have come to the end of one each at the same moment.
    assert job.trial.status()["batches_failed"] in (4, 5)
    # A resume allows as many again: it ends once more, then it comes to its end.
    resume(job, 1)
    assert job.trial.status()["batches_failed"] in (8, 9, 10)
    resume(job, 1)
    job.check()
    # With as many as are allowed it ends as it would have.
    other = poison("raise ValueError('guilty')", guilty)
    other.run(max_failed_batches=len(guilty))
    other.check()
    other.check_calls()


def test_timeout(poison) -> None:
    job = poison(PAUSE, range(0, 1280, 32), rows=1280, dead=[])
    # On a loaded machine a worker takes seconds to start; two take six for the whole job.
    job.run(timeout=4)
    ended(job, "timed_out", "ran for 4 s, its timeout")
    status = job.trial.status()
    assert 0 < status["accounted"] < 1280
    assert status["attempts_failed"] == status["dead_letters"] == 0
    assert status["seconds"] < 30
    # Each resume has as long again.
    for _ in range(20):
        if job.trial.status()["status"] != "timed_out":
            break
        resume(job, 0, 1)
    assert job.trial.summary()["coordinators"] > 1
    job.check()
    # With time enough there is nothing to see of a limit.
    other = poison(PAUSE, range(0, 640, 320), rows=640, dead=[])
    other.run(0, timeout=600)
    other.check()


def test_batch_timeout_is_for_batches_alone(poison) -> None:
    """A constructor, the whole of a job and `on_job_complete` may take longer."""
    job = poison(PAUSE, range(0, 1280, 64), rows=1280, dead=[], start="time.sleep(3.5)")
    predictor = job.trial.project / "predictor.py"
    predictor.write_text(
        predictor.read_text().replace("on_job_complete(self):", "on_job_complete(self):\n        time.sleep(3.5)")
    )
    job.run(0, batch_timeout=2.5)
    job.check()
    job.check_calls()
    assert job.trial.summary()["attempts_failed"] == 0


def test_startup_timeout(poison) -> None:
    """It ends a worker whose constructor hangs; another one takes its place, and nothing is charged."""
    job = poison("", [], start=HANG_ONCE)
    job.trial.workers = 1
    job.run(0, startup_timeout=3)
    job.check()
    job.check_calls()
    assert job.trial.summary()["attempts_failed"] == 0
    assert job.trial.events("worker_ended")[0]["cause"] == "was not ready within startup_timeout, 3 s"


def test_a_constructor_that_hangs_does_not_hold_up_the_end_of_the_job(poison) -> None:
    """The other worker does all the work; `on_job_complete` waits for this one's end."""
    job = poison("", [], start=HANG_ONCE)
    begun = time.monotonic()
    job.run(0)
    assert time.monotonic() - begun < 30
    job.check()


def test_startup_timeout_where_no_worker_starts(poison) -> None:
    job = poison("", [], start="time.sleep(600)", rows=640)
    job.run(startup_timeout=1)
    ended(job, "worker_error", "no worker stays alive", "was not ready within startup_timeout, 1 s")
    assert not job.calls()


def test_startup_timeout_is_for_starts_alone(poison) -> None:
    job = poison("time.sleep(4)", [320], rows=640, dead=[])
    job.run(0, startup_timeout=3)
    job.check()
    job.check_calls()
