from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner

from insula.cli.group import insula

MakeJob = Callable[..., Any]


def test_no_jobs(runner: CliRunner) -> None:
    done = runner.invoke(insula, ["jobs"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "There are no jobs yet.\n")
    assert runner.invoke(insula, ["jobs", "--json"]).stdout == "[]\n"


def test_the_newest_first(make_job: MakeJob, runner: CliRunner) -> None:
    ids = [make_job(f"api-{number}", status="succeeded")[1].job_id for number in range(3)]
    found = json.loads(runner.invoke(insula, ["jobs", "--json"]).stdout)
    assert [job["job_id"] for job in found] == sorted(ids, reverse=True)
    table = runner.invoke(insula, ["jobs"]).stdout.splitlines()
    assert table[0].split()[:4] == ["JOB", "API", "STATUS", "CREATED"]
    assert [line.split()[0] for line in table[1:]] == sorted(ids, reverse=True)


def test_what_is_told_of_a_job(make_job: MakeJob, runner: CliRunner) -> None:
    _, record = make_job(
        status="completed_with_failures",
        batches=4,
        samples=1000,
        accounted=1000,
        dead=3,
        end_time="2026-01-01T00:00:00.000+00:00",
    )
    assert json.loads(runner.invoke(insula, ["jobs", "--json"]).stdout) == [
        {
            "job_id": record.job_id,
            "api_name": "doubles",
            "status": "completed_with_failures",
            "created_time": "2023-11-14T22:13:20.000+00:00",
            "end_time": "2026-01-01T00:00:00.000+00:00",
            "batches": 4,
            "samples": 1000,
            "samples_done": 1000,
            "dead_letters": 3,
            "output": record.output,
            "project": record.project,
        }
    ]
    row = runner.invoke(insula, ["jobs"]).stdout.splitlines()[1]
    assert "1,000 of 1,000  3 " in row
    assert row.endswith(record.project)


def test_a_job_whose_total_is_unknown(make_job: MakeJob, runner: CliRunner) -> None:
    make_job(status="enqueuing", batches=None, samples=None, accounted=24, dead=0)
    assert "  24  " in runner.invoke(insula, ["jobs"]).stdout


def test_a_job_that_cannot_be_read_hides_no_other(make_job: MakeJob, runner: CliRunner) -> None:
    broken, _ = make_job()
    broken.record.write_text("{")
    _, good = make_job(status="succeeded")
    done = runner.invoke(insula, ["jobs", "--json"])
    assert [job["job_id"] for job in json.loads(done.stdout)] == [good.job_id]
    assert str(broken.record) in done.stderr
    assert done.exit_code == 0
