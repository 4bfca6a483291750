from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from insula.folder import JobFolder, replace
from insula.jobs.record import Record
from insula.jobs.store import JobStore

# The core is tested with nothing but itself: a predictor type of its own, in a package that is found as all are.
PLAIN = """
import insula
from insula.descriptors import PredictorType


class Plain:
    @insula.hookimpl
    def insula_predictor_type(self):
        return PredictorType("plain", class_name="Predictor")


plugin = Plain()
"""

PREDICTOR = """
import os
import time
from pathlib import Path

HERE = Path(__file__).parent


class Predictor:
    def predict(self, payload):
        for row in payload:
            if "wait" in row:
                # What a test waits for before it does something, and what the predictor waits for then.
                HERE.joinpath(f".reached-{row['wait']}").touch()
                while not HERE.joinpath(f".go-{row['wait']}").exists():
                    time.sleep(0.01)
            time.sleep(row.get("seconds", 0))
            if row.get("print"):
                print(row["print"])
            if row.get("fail"):
                raise ValueError(row["fail"])
        return [row["a"] * 2 for row in payload]
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    folder.joinpath("insula_plain_type.py").write_text(PLAIN)
    info = folder / "insula_plain_type-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: insula-plain-type\nVersion: 1.0\nRequires-Dist: insula>=0.1,<1\n"
    )
    info.joinpath("entry_points.txt").write_text("[insula.predictors]\nplain = insula_plain_type:plugin\n")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("INSULA_HOME", str(home))
    return home


@pytest.fixture
def environment(site: Path, home: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "INSULA_HOME": str(home), "TERM": "xterm"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, with ten rows in `rows.jsonl`."""
    folder = tmp_path / "project"
    folder.mkdir()
    folder.joinpath("cortex.yaml").write_text(
        "name: doubles\nkind: BatchAPI\npredictor: {type: plain, path: predictor.py}\n"
    )
    folder.joinpath("predictor.py").write_text(PREDICTOR)
    write_rows(folder, [{"a": number} for number in range(10)])
    return folder


def write_rows(project: Path, rows: list[dict[str, object]]) -> None:
    project.joinpath("rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture
def rows(project: Path) -> Callable[[list[dict[str, object]]], None]:
    """Gives the project other rows."""
    return lambda rows: write_rows(project, rows)


Insula = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def insula(environment: dict[str, str], tmp_path: Path) -> Insula:
    """Runs `python -m insula` with arguments to its end."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "insula", *map(str, arguments)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture
def runner(home: Path) -> CliRunner:
    # What later versions of click always do: standard error apart from standard output.
    apart = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
    return CliRunner(**apart)  # type: ignore[arg-type]


@pytest.fixture
def store(home: Path) -> JobStore:
    return JobStore(home)


@pytest.fixture
def make_job(store: JobStore, tmp_path: Path) -> Callable[..., tuple[JobFolder, Record]]:
    """Makes a job without running it; keywords make its status file."""

    def make(api_name: str = "doubles", **status: object) -> tuple[JobFolder, Record]:
        job_id, folder = store.create()
        record = Record(
            job_id=job_id,
            api_name=api_name,
            created=1_700_000_000.0,
            project=str(tmp_path / "project"),
            entry={"name": api_name},
            submission={},
            output=str(folder.results),
            executor="process",
            batch_prefix="0" * 24,
            insula="0.1.0",
            fingerprint={},
        )
        record.write(folder)
        if status:
            replace(folder.status, {"job_id": job_id, "api_name": api_name, **status})
        return folder, record

    return make
