from __future__ import annotations

import threading
import time
from pathlib import Path

import attrs
import pytest

from insula.errors import JobError, ProjectError, SpecError
from insula.folder import JobFolder
from insula.jobs.asking import Change, accept_change, find_change, stop
from insula.jobs.lock import JobLock
from insula.jobs.record import Record, read_record

CONFIG = "- {name: other, kind: BatchAPI}\n- {name: api, kind: BatchAPI}\n"


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path / "01a2")
    folder.create()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    project.joinpath("cortex.yaml").write_text(CONFIG)
    project.joinpath("predictor.py").write_text("")
    return project


@pytest.fixture
def record(folder: JobFolder, project: Path) -> Record:
    """The record of a job whose results lie in its project."""
    entry = {"name": "api", "kind": "BatchAPI"}
    output = str(project / "out")
    record = Record("01a2", "api", 0.0, str(project), entry, {}, output, "process", "0", "0.1.0", {})
    record = attrs.evolve(record, fingerprint=find_change(record).fingerprint)
    record.write(folder)
    return record


# ---------------------------------------------------------------------------------------------------- to stop


def test_who_asks_waits_until_the_job_is_free(folder: JobFolder) -> None:
    lock = JobLock(folder.lock)
    seen: list[bool] = []

    def coordinate() -> None:
        # The first request is lost, as it is on a coordinator that has only just begun.
        for _ in range(2):
            deadline = time.monotonic() + 60
            while not folder.stop.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            seen.append(folder.stop.exists())
            folder.stop.unlink()
        lock.release()

    thread = threading.Thread(target=coordinate)
    thread.start()
    assert stop(folder, timeout=60)
    thread.join()
    assert seen == [True, True]


def test_a_request_stands_after_who_asked_has_gone(folder: JobFolder) -> None:
    lock = JobLock(folder.lock)
    try:
        assert not stop(folder, timeout=0.0)
    finally:
        lock.release()
    assert folder.stop.exists()
    assert folder.stop.stat().st_mode & 0o077 == 0


def test_a_job_that_is_not_running(folder: JobFolder) -> None:
    with pytest.raises(JobError, match="01a2 is not running"):
        stop(folder, timeout=60)
    assert not folder.stop.exists()


# ---------------------------------------------------------------------------------------------------- to go on


def test_nothing_changed(record: Record, project: Path) -> None:
    project.joinpath("added.py").touch()
    project.joinpath("out").mkdir()
    project.joinpath("out", "predictions.jsonl").touch()
    assert find_change(record).names == ()


def test_another_entry_is_no_change_of_this_one(record: Record, project: Path) -> None:
    project.joinpath("cortex.yaml").write_text(CONFIG.replace("other", "another"))
    assert find_change(record).names == ()


def test_what_changed_and_what_went_away(record: Record, project: Path) -> None:
    project.joinpath("cortex.yaml").write_text(CONFIG.replace("name: api", "name: api, compute: {cpu: 2}"))
    project.joinpath("predictor.py").unlink()
    change = find_change(record)
    assert change.names == ("cortex.yaml", "predictor.py")
    assert change.entry["compute"] == {"cpu": 2}


def test_a_change_is_recorded(record: Record, project: Path, folder: JobFolder) -> None:
    project.joinpath("predictor.py").write_text("changed")
    changed = accept_change(folder, record, find_change(record))
    assert read_record(folder) == changed
    assert find_change(changed).names == ()
    assert attrs.evolve(changed, fingerprint=record.fingerprint) == record


def test_a_running_job_is_left_alone(record: Record, folder: JobFolder) -> None:
    lock = JobLock(folder.lock)
    try:
        with pytest.raises(JobError, match="is running"):
            accept_change(folder, record, Change((), {}, {}))
    finally:
        lock.release()
    assert read_record(folder) == record


def test_a_project_without_the_api(record: Record, project: Path) -> None:
    project.joinpath("cortex.yaml").write_text("- {name: other, kind: BatchAPI}\n")
    with pytest.raises(SpecError, match="no API is named api"):
        find_change(record)


def test_a_project_that_is_gone(record: Record, project: Path) -> None:
    project.joinpath("cortex.yaml").unlink()
    with pytest.raises(ProjectError, match="there is no such file"):
        find_change(record)
