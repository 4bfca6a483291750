from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.jobs.lock import JobLock


@pytest.mark.parametrize("command", ["results", "retry"])
def test_a_job_that_is_not_finished(command: str, make_job: Callable[..., Any], runner: CliRunner) -> None:
    folder, record = make_job(status="stopped")
    done = runner.invoke(insula, [command, record.job_id])
    assert done.exit_code == 2
    assert f"insula resume {record.job_id}" in done.stderr
    lock = JobLock(folder.lock)
    try:
        done = runner.invoke(insula, [command, record.job_id])
    finally:
        lock.release()
    assert done.exit_code == 2
    assert "resume" not in done.stderr


def test_nothing_to_retry(make_job: Callable[..., Any], runner: CliRunner) -> None:
    _, record = make_job(status="succeeded", dead=0)
    done = runner.invoke(insula, ["retry", record.job_id])
    assert done.exit_code == 2
    assert "has no dead letters" in done.stderr


def test_dead_letters_are_printed_not_copied_apart(make_job: Callable[..., Any], runner: CliRunner) -> None:
    _, record = make_job(status="succeeded")
    done = runner.invoke(insula, ["results", record.job_id, "--dead-letters", "--output", "x"])
    assert done.exit_code == 2
