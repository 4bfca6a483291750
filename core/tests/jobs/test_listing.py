from __future__ import annotations

from pathlib import Path

import pytest

from insula.errors import JobError
from insula.folder import JobFolder, replace
from insula.jobs.listing import look_at, look_closely
from insula.jobs.lock import JobLock
from insula.jobs.record import Record
from insula.ledger import Ledger


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path / "01a2")
    folder.create()
    Record("01a2", "api", 0.0, "/p", {}, {}, "/out", "process", "0", "0.1.0", {}).write(folder)
    return folder


def stands(folder: JobFolder, status: str) -> None:
    replace(folder.status, {"status": status, "settled": 3, "accounted": 30, "dead": 1, "workers": 2})


def settled_since(folder: JobFolder) -> None:
    """Let the ledger be ahead of the status file, as it is when a coordinator dies."""
    ledger = Ledger(folder.ledger, create=True)
    state = ledger.state
    state.batches, state.samples, state.split_done = 10, 100, True
    state.succeeded, state.failed, state.each, state.dead = 4, 1, 47, 3
    ledger.commit()
    ledger.close()


@pytest.mark.parametrize("status", ["enqueuing", "running"])
def test_what_a_living_coordinator_wrote_is_true_while_it_lives(folder: JobFolder, status: str) -> None:
    stands(folder, status)
    lock = JobLock(folder.lock)
    try:
        assert (look_at(folder).status, look_at(folder).running) == (status, True)
    finally:
        lock.release()
    assert (look_at(folder).status, look_at(folder).running) == ("interrupted", False)


@pytest.mark.parametrize("status", ["succeeded", "completed_with_failures", "stopped", "worker_error"])
def test_the_last_word_stays_true(folder: JobFolder, status: str) -> None:
    stands(folder, status)
    for seen in (look_at(folder), look_closely(folder)):
        assert (seen.status, seen.running, seen.dead_letters) == (status, False, 1)
        assert seen.finished == (status in ("succeeded", "completed_with_failures"))


def test_a_coordinator_that_died_before_its_first_word(folder: JobFolder) -> None:
    assert look_closely(folder).status == "interrupted"
    assert look_closely(folder).to_plain()["dead_letters"] == 0


def test_a_coordinator_that_has_not_said_anything_yet(folder: JobFolder) -> None:
    lock = JobLock(folder.lock)
    try:
        assert look_at(folder).status == "enqueuing"
    finally:
        lock.release()


def test_an_interrupted_job_is_read_from_its_ledger(folder: JobFolder) -> None:
    stands(folder, "running")
    settled_since(folder)
    assert look_at(folder).facts["accounted"] == 30
    plain = look_closely(folder).to_plain()
    counts = {key: plain[key] for key in ("status", "batches", "samples", "settled", "accounted", "dead_letters")}
    assert counts == {
        "status": "interrupted",
        "batches": 10,
        "samples": 100,
        "settled": 5,
        "accounted": 50,
        "dead_letters": 3,
    }
    assert (plain["workers"], plain["rate"], plain["longest"]) == (0, 0.0, 0.0)


def test_looking_leaves_the_job_free(folder: JobFolder) -> None:
    stands(folder, "running")
    settled_since(folder)
    look_closely(folder)
    JobLock(folder.lock).release()
    Ledger(folder.ledger).close()


def test_a_record_that_cannot_be_read(folder: JobFolder) -> None:
    folder.record.write_text("[")
    with pytest.raises(JobError, match="cannot be read"):
        look_at(folder)
