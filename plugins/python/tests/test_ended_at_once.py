"""A job that is ended in the middle of something: its summary says what its ledger has, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from insula.coordinator.coordinator import Coordinator
from insula.folder import JobFolder
from insula.jobs.record import Record
from insula.jobs.running import Watch, run
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit
from insula.ledger import Ledger

PREDICTOR = """
import time

class PythonPredictor:
    def predict(self, payload):
        time.sleep(0.02)
        if payload == [50]:
            raise ValueError("guilty")
        return payload
"""


@pytest.fixture
def job(tmp_path: Path) -> tuple[JobFolder, Record]:
    (tmp_path / "cortex.yaml").write_text("{name: a, kind: BatchAPI, predictor: {type: python, path: predictor.py}}")
    (tmp_path / "predictor.py").write_text(PREDICTOR)
    submission = {"item_list": {"items": list(range(100)), "batch_size": 1}, "output": "out"}
    request = Request(tmp_path, submission=submission, executor="inline")
    folder, record, _ = submit(request, JobStore(tmp_path / "home"))
    return folder, record


def check(job: tuple[JobFolder, Record], summary: Mapping[str, Any]) -> None:
    """Hold a summary against the ledger, and finish the job."""
    folder, record = job
    assert summary["status"] == "stopped"
    assert 0 < summary["predictions"] < 100
    ledger = Ledger(folder.ledger)
    kept = (ledger.state.each, ledger.state.attempts)
    ledger.close()
    assert kept == (summary["predictions"], summary["attempts_failed"])
    assert run(folder, record)["status"] == "completed_with_failures"
    lines = Path(record.output, "predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["prediction"] for line in lines] == [one for one in range(100) if one != 50]


def test_between_two_reports(job: tuple[JobFolder, Record]) -> None:
    running: list[Coordinator] = []
    watch = Watch(began=running.append, progress=lambda stands: stands.accounted and running[0].abort())
    check(job, run(*job, watch))


def test_in_the_middle_of_a_report(job: tuple[JobFolder, Record]) -> None:
    def end(event: Mapping[str, Any]) -> None:
        if event["event"] == "attempt_failed":
            raise KeyboardInterrupt

    check(job, run(*job, Watch(event=end)))
