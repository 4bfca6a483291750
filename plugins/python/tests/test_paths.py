from __future__ import annotations

import json
from pathlib import Path

import pytest

from insula.jobs.record import read_record
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit


def test_paths_are_kept_without_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    (project / "below").mkdir(parents=True)
    (project / "predictor.py").write_text("class PythonPredictor:\n    def predict(self, payload): return payload\n")
    (project / "cortex.yaml").write_text("name: a\npredictor: {type: python, path: predictor.py}\n")
    (project / "job.json").write_text(json.dumps({"item_list": {"items": [1]}, "output": "../out"}))
    (project / "earlier").mkdir()
    (project / "earlier" / "predictions.jsonl").write_text("")
    store = JobStore(tmp_path / "home")
    record = read_record(submit(Request(project), store)[0])
    assert (record.project, record.output) == (str(project), str(tmp_path / "out"))
    monkeypatch.chdir(project / "below")
    record = read_record(submit(Request(Path(".."), output="../earlier"), store)[0])
    assert (record.project, record.output) == (str(project), str(project / "earlier"))
    assert "earlier/predictions.jsonl" not in record.fingerprint
