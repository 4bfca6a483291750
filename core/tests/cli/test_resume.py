from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.errors import WorkerFault
from insula.folder import JobFolder
from insula.jobs import output as outputs
from insula.jobs.lock import JobLock
from insula.jobs.record import Record, read_record
from insula.jobs.running import Prepared
from insula.project.files import fingerprint

SUMMARY: dict[str, Any] = {
    "status": "succeeded",
    "batches": 4,
    "samples": 10,
    "predictions": 10,
    "dead_letters": 0,
    "stored_by_predictor": 0,
    "seconds": 0.2,
    "output": "/data/out",
}
MakeJob = Callable[..., "tuple[JobFolder, Record]"]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """What the engine was asked to run."""
    records: list[Record] = []

    def run(folder: JobFolder, record: Record, watch: Any, prepared: Prepared) -> dict[str, Any]:
        assert prepared == Prepared()
        records.append(record)
        return {"job_id": record.job_id, **SUMMARY}

    monkeypatch.setattr("insula.jobs.running.run", run)
    return records


@pytest.fixture
def job(make_job: MakeJob, project: Path) -> tuple[JobFolder, Record]:
    """A stopped job of the project as it is."""
    folder, record = make_job(**{**SUMMARY, "status": "stopped"})
    entry = {"name": "doubles", "kind": "BatchAPI", "predictor": {"type": "plain", "path": "predictor.py"}}
    record = attrs.evolve(record, entry=entry, fingerprint=fingerprint(project, entry))
    record.write(folder)
    return folder, record


def test_a_job_goes_on(job: tuple[JobFolder, Record], ran: list[Record], runner: CliRunner) -> None:
    done = runner.invoke(insula, ["resume", job[1].job_id[:-1]])
    assert done.exit_code == 0, done.stderr
    assert ran == [job[1]]
    assert "10 samples = 10 predictions" in done.stdout


def test_a_changed_project_is_refused(
    job: tuple[JobFolder, Record], ran: list[Record], runner: CliRunner, project: Path
) -> None:
    job_id = job[1].job_id
    project.joinpath("predictor.py").write_text("class Predictor: pass\n")
    project.joinpath("rows.jsonl").unlink()
    project.joinpath("added.txt").touch()
    done = runner.invoke(insula, ["resume", job_id, "--json"])
    assert (done.exit_code, ran) == (1, [])
    assert done.stderr.splitlines() == [
        f"insula: job {job_id}: the project changed since the job began: predictor.py, rows.jsonl",
        f"Undo that, or accept it: insula resume --changed {job_id}",
    ]
    answer = json.loads(done.stdout)
    assert (answer["status"], answer["job_id"]) == ("stopped", job_id)
    assert read_record(job[0]) == job[1]


def test_a_change_is_accepted(
    job: tuple[JobFolder, Record], ran: list[Record], runner: CliRunner, project: Path
) -> None:
    folder, before = job
    config = project / "cortex.yaml"
    config.write_text(config.read_text().replace("doubles", "doubles\ncompute: {cpu: 1}"))
    assert runner.invoke(insula, ["resume", before.job_id]).exit_code == 1
    assert runner.invoke(insula, ["resume", before.job_id, "--changed"]).exit_code == 0
    after = read_record(folder)
    assert after.entry == {**before.entry, "compute": {"cpu": 1}}
    assert after.fingerprint["cortex.yaml"] != before.fingerprint["cortex.yaml"]
    assert ran == [after]
    # It was recorded: from now on this is the job's project.
    assert runner.invoke(insula, ["resume", before.job_id]).exit_code == 0


def test_what_was_added_is_no_change(
    job: tuple[JobFolder, Record], ran: list[Record], runner: CliRunner, project: Path
) -> None:
    project.joinpath("model.bin").touch()
    assert runner.invoke(insula, ["resume", job[1].job_id]).exit_code == 0
    assert ran == [job[1]]


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("completed_with_failures", 1)])
def test_a_finished_job_stays_as_it_is(
    status: str, code: int, make_job: MakeJob, ran: list[Record], runner: CliRunner
) -> None:
    _, record = make_job(**{**SUMMARY, "status": status})
    done = runner.invoke(insula, ["resume", record.job_id])
    assert (done.exit_code, ran) == (code, [])
    assert f"Job {record.job_id} is finished already." in done.stderr
    assert "Results: /data/out" in done.stdout
    assert json.loads(runner.invoke(insula, ["resume", record.job_id, "--json"]).stdout)["status"] == status


def test_a_finished_job_that_was_killed_before_it_gave_up_its_claim(
    make_job: MakeJob, ran: list[Record], runner: CliRunner
) -> None:
    folder, record = make_job(**SUMMARY)
    outputs.claim(record.output, folder)
    assert [path.name for path in folder.results.iterdir()] == [".insula-job.json"]
    assert runner.invoke(insula, ["resume", record.job_id]).exit_code in (0, 1)
    assert not list(folder.results.iterdir())
    assert ran == []


def test_a_running_job(job: tuple[JobFolder, Record], runner: CliRunner) -> None:
    lock = JobLock(job[0].lock)
    try:
        done = runner.invoke(insula, ["resume", job[1].job_id])
    finally:
        lock.release()
    assert done.exit_code == 1
    assert done.stderr == f"insula: job {job[1].job_id}: the job is running already, in this process\n"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_unknown_job(flags: list[str], runner: CliRunner) -> None:
    done = runner.invoke(insula, ["resume", "0123", *flags])
    assert done.exit_code == 2
    assert done.stderr.startswith("insula: there is no job '0123'")
    assert not flags or json.loads(done.stdout)["status"] == "refused"


def test_a_job_of_another_insula(job: tuple[JobFolder, Record], runner: CliRunner) -> None:
    job[0].record.write_text('{"version": 99}')
    done = runner.invoke(insula, ["resume", job[1].job_id, "--json"])
    assert done.exit_code == 1
    assert "has version 99" in json.loads(done.stdout)["message"]


def test_a_project_that_is_gone(job: tuple[JobFolder, Record], runner: CliRunner, project: Path) -> None:
    project.joinpath("cortex.yaml").unlink()
    done = runner.invoke(insula, ["resume", job[1].job_id])
    assert done.exit_code == 1
    assert f"{project / 'cortex.yaml'}: there is no such file" in done.stderr


def test_a_worker_that_cannot_serve_leaves_the_job(
    job: tuple[JobFolder, Record], runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: object) -> None:
        raise WorkerFault("no module named torch")

    monkeypatch.setattr("insula.jobs.running.run", run)
    done = runner.invoke(insula, ["resume", job[1].job_id])
    assert (done.exit_code, done.stderr) == (1, f"insula: job {job[1].job_id}: no module named torch\n")
