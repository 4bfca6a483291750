from __future__ import annotations

from pathlib import Path

import pytest

from insula.errors import OutputError
from insula.folder import JobFolder, replace
from insula.jobs import output as outputs
from insula.jobs.record import Record
from insula.jobs.store import JobStore


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "home")


def make(store: JobStore, output: str, **status: object) -> JobFolder:
    job_id, folder = store.create()
    record = Record(
        job_id=job_id, api_name="api", created=0.0, project="", entry={}, submission={}, output=output, executor="process",
        batch_prefix="", insula="0.1.0", fingerprint={},
    )  # fmt: skip
    record.write(folder)
    if status:
        replace(folder.status, {"job_id": job_id, **status})
    return folder


@pytest.fixture(params=["folder", "URL"])
def output(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "out")
    monkeypatch.setattr(outputs, "_write", lambda path, url: None)
    monkeypatch.setattr(outputs, "_delete", lambda url: None)
    return "s3://bucket/out"


def test_a_claim_is_the_job_s_until_it_is_given_up(store: JobStore, output: str) -> None:
    first, second = make(store, output, status="running"), make(store, output)
    outputs.claim(output, first)
    outputs.claim(output, first)
    with pytest.raises(OutputError, match=f"by job {first.root.name}, which is not finished"):
        outputs.claim(output, second)
    outputs.release(output, first)
    outputs.claim(output, second)


@pytest.mark.parametrize("status", ["succeeded", "completed_with_failures"])
def test_a_claim_that_a_finished_job_left_holds_nobody_up(store: JobStore, output: str, status: str) -> None:
    """It was killed between its last status and giving the claim up."""
    first, second = make(store, output), make(store, output)
    outputs.claim(output, first)
    replace(first.status, {"job_id": first.root.name, "status": status})
    outputs.claim(output, second)
    # Should the first one come back, it does not give up what is another's now.
    outputs.release(output, first)
    with pytest.raises(OutputError, match=f"by job {second.root.name}"):
        outputs.claim(output, make(store, output))


def test_a_claim_of_a_job_that_is_gone_holds_nobody_up(store: JobStore, output: str) -> None:
    first = make(store, output)
    outputs.claim(output, first)
    first.record.unlink()
    outputs.claim(output, make(store, output))


def test_a_claim_that_was_cut_short_holds_nobody_up(store: JobStore, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / ".insula-job.json").write_text('{"job_id": "1')
    outputs.claim(str(output), make(store, str(output)))


def test_what_another_job_has_begun_is_not_abandoned(store: JobStore, tmp_path: Path) -> None:
    output = str(tmp_path / "out")
    first, second = make(store, output), make(store, output)
    outputs.claim(output, first)
    begun = tmp_path / "out" / outputs.PARTIAL
    begun.touch()
    outputs.abandon(output, second)
    assert begun.exists()
    with pytest.raises(OutputError, match="is being written by job"):
        outputs.claim(output, second)
    outputs.abandon(output, first)
    assert not begun.parent.exists()
