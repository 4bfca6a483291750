"""Real jobs of small projects: each test writes a predictor and looks at what the job leaves."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from insula.jobs.running import run
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit


@attrs.frozen
class Left:
    """What a job left behind."""

    summary: Mapping[str, Any]
    lines: list[dict[str, Any]]
    letters: list[dict[str, Any]]
    log: str

    @property
    def status(self) -> str:
        return str(self.summary["status"])

    @property
    def predictions(self) -> list[Any]:
        """The predictions, in the order of the file."""
        return [line["prediction"] for line in self.lines]

    @property
    def indexes(self) -> list[int]:
        return [line["index"] for line in self.lines]

    @property
    def errors(self) -> list[str]:
        """Type and message of each dead letter."""
        return [f"{letter['error']['type']}: {letter['error']['message']}" for letter in self.letters]


@attrs.define
class Project:
    """A project folder with `home` beside it, in which its jobs are."""

    folder: Path
    home: Path
    output: Path
    entry: dict[str, Any] = attrs.field(
        factory=lambda: {"name": "api", "predictor": {"type": "python", "path": "predictor.py"}}
    )

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file of the project; the text may be indented."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        return path

    def predictor(self, text: str, **section: Any) -> None:
        """Write predictor.py; `section` are further keys of the `predictor` section."""
        self.write("predictor.py", text)
        self.entry["predictor"].update(section)

    def run(
        self,
        samples: Iterable[Any] | bytes = (0, 1, 2, 3, 4),
        *,
        executor: str = "inline",
        batch_size: int = 2,
        **submission: Any,
    ) -> Left:
        """Run a job over samples, or over a file of these bytes, to its end."""
        self.write("cortex.yaml", yaml.safe_dump(self.entry))
        if isinstance(samples, bytes):
            self.write("rows.jsonl", samples)
            source = {"delimited_files": {"paths": ["rows.jsonl"], "batch_size": batch_size}}
        else:
            source = {"item_list": {"items": list(samples), "batch_size": batch_size}}
        self.write("job.json", json.dumps({"retries": 0, "workers": 1, **source, **submission}))
        return self.run_as_it_is(executor)

    def run_as_it_is(self, executor: str = "inline") -> Left:
        """Run the project with the cortex.yaml and job.json that it has."""
        request = Request(self.folder, output=str(self.output), executor=executor)
        folder, record, _ = submit(request, JobStore(self.home))
        summary = run(folder, record)
        logs = sorted(folder.logs.iterdir())
        return Left(
            summary,
            _rows(self.output / "predictions.jsonl"),
            _rows(self.output / "dead_letters.jsonl"),
            "".join(log.read_text() for log in logs),
        )

    def predict(self, body: str, samples: Iterable[Any] = (0, 1, 2, 3, 4), **options: Any) -> Left:
        """Run a job whose `predict(self, payload, batch_id)` has this body; `returns` goes into cortex.yaml."""
        section = {"returns": options.pop("returns")} if "returns" in options else {}
        head = "class PythonPredictor:\n    def predict(self, payload, batch_id):\n"
        self.predictor(head + textwrap.indent(textwrap.dedent(body), " " * 8), **section)
        return self.run(samples, **options)

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs that are there."""
        folder = self.home / "jobs"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n") if line] if path.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, tmp_path / "home", tmp_path / "out")
