from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.folder import JobFolder
from insula.jobs import output as outputs
from insula.jobs.deleting import parse_age
from insula.jobs.lock import JobLock
from insula.jobs.store import JobStore

MakeJob = Callable[..., Any]


def names(store: JobStore) -> list[str]:
    return sorted(folder.root.name for folder in store)


def test_jobs_are_deleted(make_job: MakeJob, runner: CliRunner, store: JobStore) -> None:
    (one, _), (_, two), (_, kept) = make_job(status="succeeded"), make_job(status="stopped"), make_job()
    done = runner.invoke(insula, ["delete", one.root.name, two.job_id, two.job_id])
    assert (done.exit_code, done.stdout) == (0, "Deleted 2 jobs.\n")
    assert names(store) == [kept.job_id]
    assert not one.root.exists()


def test_results_elsewhere_are_kept_and_no_longer_claimed(make_job: MakeJob, runner: CliRunner, tmp_path: Path) -> None:
    folder, record = make_job(status="stopped")
    out = tmp_path / "out"
    outputs.claim(str(out), folder)
    attrs.evolve(record, output=str(out)).write(folder)
    out.joinpath("predictions.jsonl").write_text("1\n")
    assert runner.invoke(insula, ["delete", record.job_id]).exit_code == 0
    assert [path.name for path in out.iterdir()] == ["predictions.jsonl"]


def test_a_running_job_is_refused_and_nothing_else_deleted(
    make_job: MakeJob, runner: CliRunner, store: JobStore
) -> None:
    (folder, record), (_, other) = make_job(status="running"), make_job(status="succeeded")
    lock = JobLock(folder.lock)
    try:
        done = runner.invoke(insula, ["delete", other.job_id, record.job_id])
        assert runner.invoke(insula, ["delete", "--older-than", "0s"]).stdout == "Deleted 1 job.\n"
    finally:
        lock.release()
    assert done.exit_code == 2
    assert f"insula stop {record.job_id}" in done.stderr
    assert names(store) == [record.job_id]


def aged(folder: JobFolder, seconds: float) -> None:
    for path in (folder.record, folder.status):
        os.utime(path, (time.time() - seconds,) * 2)


def test_old_jobs(make_job: MakeJob, runner: CliRunner, store: JobStore) -> None:
    (old, _), (_, new) = make_job(status="succeeded"), make_job(status="succeeded")
    aged(old, 31 * 86400)
    assert runner.invoke(insula, ["delete", "--older-than", "30d"]).stdout == "Deleted 1 job.\n"
    assert names(store) == [new.job_id]


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 1)])
def test_a_terminal_is_asked(
    answer: str,
    left: int,
    make_job: MakeJob,
    runner: CliRunner,
    store: JobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, record = make_job(status="stopped")
    monkeypatch.setattr("insula.cli.delete._at_a_terminal", lambda: True)
    done = runner.invoke(insula, ["delete", record.job_id], input=answer)
    assert done.exit_code == 0
    assert "not finished: it could be resumed, with its results" in done.stderr
    assert len(names(store)) == left
    make_job(status="stopped")
    assert runner.invoke(insula, ["delete", "--older-than", "0s", "--yes"]).exit_code == 0
    assert names(store) == []


@pytest.mark.parametrize("arguments", [[], ["--older-than", "30d", "01"], ["--older-than", "soon"]])
def test_a_wrong_command_line(arguments: list[str], runner: CliRunner) -> None:
    done = runner.invoke(insula, ["delete", *arguments])
    assert done.exit_code == 2
    assert "insula delete --help" in done.stderr


def test_what_cannot_be_removed_is_still_a_job(
    make_job: MakeJob, runner: CliRunner, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, record = make_job(status="succeeded")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("insula.jobs.deleting.shutil.rmtree", refuse)
    done = runner.invoke(insula, ["delete", record.job_id])
    assert done.exit_code == 2
    assert "Permission denied" in done.stderr
    assert names(store) == [record.job_id]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("2m", 120), ("1.5h", 5400), ("30d", 2592000), ("1w", 604800)]
)
def test_ages(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1 d"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30d"):
        parse_age(text)
