"""`insula.run`, `insula.submit` and `insula.open_job`, with the real engine and jobs of a few rows."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import insula
from insula.errors import JobError, SourceError, UserError, WorkerFault
from insula.plugins import finding

TYPE = """
import insula
from insula.descriptors import PredictorType


class Plain:
    @insula.hookimpl
    def insula_predictor_type(self):
        return PredictorType("plain", class_name="Predictor")


plugin = Plain()
"""
PREDICTOR = """
import time
from pathlib import Path


class Predictor:
    def __init__(self, config):
        self.config = config

    def predict(self, payload):
        while self.config.get("gate") and not Path(self.config["gate"]).exists():
            time.sleep(0.01)
        if any(number in self.config.get("bad", ()) for number in payload):
            raise ValueError("bad")
        return [2 * number for number in payload]
"""
EXECUTORS = pytest.mark.parametrize("executor", ["inline", "process"])


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A predictor type of the tests' own, found as all are, and a home."""
    folder = tmp_path / "site"
    info = folder / "insula_plain_api-1.0.dist-info"
    info.mkdir(parents=True)
    folder.joinpath("insula_plain_api.py").write_text(TYPE)
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: insula-plain-api\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[insula.predictors]\nplain = insula_plain_api:plugin\n")
    monkeypatch.syspath_prepend(str(folder))
    path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.setenv("INSULA_HOME", str(tmp_path / "home"))
    finding._scan.cache_clear()
    yield
    finding._scan.cache_clear()
    sys.modules.pop("insula_plain_api", None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    folder.joinpath("cortex.yaml").write_text(
        "name: doubles\nkind: BatchAPI\npredictor: {type: plain, path: predictor.py}\n"
    )
    folder.joinpath("predictor.py").write_text(PREDICTOR)
    return folder


def jobs(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "home" / "jobs"))


@EXECUTORS
def test_run(executor: str, project: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    threads: set[threading.Thread] = set()

    def event(line: dict[str, object]) -> None:
        threads.add(threading.current_thread())
        seen.append(str(line["event"]))

    handlers, root = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}, list(logging.root.handlers)
    before = (Path.cwd(), list(sys.path), dict(os.environ))
    result = insula.run(
        project, items=range(10), batch_size=3, workers=1, executor=executor, output=tmp_path / "out", event=event
    )
    assert (result.status, result.succeeded, result.finished) == ("succeeded", True, True)
    assert (result.samples, result.predictions, result.dead_letters) == (10, 10, 0)
    assert result.output == str(tmp_path / "out")
    assert [(one.index, one.prediction, one.count) for one in result.job.results()] == [
        (number, 2 * number, 1) for number in range(10)
    ]
    assert list(result.job.dead_letters()) == []
    assert (seen[0], seen[-1], threads) == ("job_started", "job_ended", {threading.current_thread()})
    assert handlers == {n: signal.getsignal(n) for n in handlers}
    assert (root, before) == (logging.root.handlers, (Path.cwd(), sys.path, dict(os.environ)))


def test_inputs_submission_and_home(project: Path, tmp_path: Path) -> None:
    rows = project / "rows.jsonl"
    rows.write_text("1\n2\n")
    project.joinpath("job.json").write_text('{"delimited_files": {"paths": ["gone"], "batch_size": 1}}')
    options = {"executor": "inline", "home": tmp_path / "elsewhere"}
    assert insula.run(project, inputs=rows, **options).summary["batches"] == 2
    submission = {"delimited_files": {"paths": ["rows.jsonl"]}, "join_input": True}
    result = insula.run(project, submission=submission, inputs=[str(rows)], **options)
    assert [one.input for one in result.job.results()] == [1, 2]
    assert insula.open_job(result.job.id[:-2], home=tmp_path / "elsewhere").wait().samples == 2
    with pytest.raises(JobError, match="there is no job"):
        insula.open_job(result.job.id)


@pytest.mark.parametrize("begin", [insula.run, insula.submit])
def test_what_is_wrong_is_raised_and_leaves_no_job(begin: Callable[..., object], project: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="known: doubles"):
        begin(project, items=[1], api="triples")
    with pytest.raises(UserError, match="no source"):
        begin(project)
    assert not tmp_path.joinpath("home").exists() or jobs(tmp_path) == []


def test_what_only_a_worker_finds_is_raised_by_wait(project: Path, tmp_path: Path) -> None:
    project.joinpath("predictor.py").write_text("import no_such_module\n" + PREDICTOR)
    with pytest.raises(WorkerFault, match="no_such_module"):
        insula.run(project, items=[1])
    job = insula.submit(project, items=[1])
    for _ in range(2):
        with pytest.raises(WorkerFault, match="no_such_module"):
            job.wait(60)
    with pytest.raises(JobError, match="there is no job"):
        job.status()
    assert jobs(tmp_path) == []


def test_watched_stopped_and_gone_on_with(project: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = insula.submit(project, items=range(40), batch_size=2, workers=1, config={"gate": str(gate)})
    assert job.status().running
    with pytest.raises(TimeoutError):
        job.wait(0.05)
    with pytest.raises(JobError, match="running already"):
        job.resume()
    with pytest.raises(JobError, match="no results yet"):
        job.results()
    other = insula.open_job(job.id)
    assert not other.stop(timeout=0)
    gate.touch()
    # It may be done before it hears of that.
    result = job.wait(60)
    assert result.status in ("stopped", "succeeded")
    assert other.wait(60).status == result.status
    with pytest.raises(JobError, match="is not running"):
        job.stop()
    project.joinpath("predictor.py").write_text(PREDICTOR + "# changed\n")
    if not result.finished:
        with pytest.raises(JobError, match="the project changed"):
            job.resume()
    assert job.resume(changed=True).wait(60).succeeded
    assert [one.prediction for one in job.results()] == [2 * number for number in range(40)]
    assert job.resume().wait().succeeded
    assert (job.status().finished, job.status().samples_done, job.status().batches) == (True, 40, 20)


def test_retry(project: Path, tmp_path: Path) -> None:
    options = {"batch_size": 2, "workers": 1, "executor": "inline"}
    job = insula.run(project, items=range(6), config={"bad": [1, 4]}, **options).job
    assert [(one.index, one.input, one.error["type"]) for one in job.dead_letters()] == [
        (1, 1, "ValueError"),
        (4, 4, "ValueError"),
    ]
    project.joinpath("predictor.py").write_text(PREDICTOR.replace("any(", "any(number == 4 and "))
    again = job.retry(output=tmp_path / "again")
    assert again.wait(60).status == "completed_with_failures"
    assert [one.index for one in job.results(with_retries=True)] == [0, 1, 2, 3, 5]
    assert [one.index for one in job.dead_letters(with_retries=True)] == [4]
    assert [one.index for one in again.dead_letters()] == [4]
    assert (tmp_path / "again" / "predictions.jsonl").exists()


def test_jobs_side_by_side_in_threads(project: Path) -> None:
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(insula.run(project, items=range(5), workers=1).status))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == ["succeeded"] * 2


def test_ctrl_c_ends_the_job_and_is_the_host_s_again(project: Path, tmp_path: Path) -> None:
    def began(line: dict[str, object]) -> None:
        if line["event"] == "worker_ready":
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="insula resume"):
        insula.run(project, items=range(4), config={"gate": str(tmp_path / "gate")}, workers=1, event=began)
    job = insula.open_job(jobs(tmp_path)[0])
    assert job.status().status == "stopped"
    tmp_path.joinpath("gate").touch()
    assert job.resume().wait(60).succeeded


INTERRUPTED = """
import signal
from pathlib import Path


def interrupt(where):
    marker = Path(__file__).with_name(f".{where}")
    if WHERE == where and not marker.exists():
        marker.touch()
        signal.raise_signal(signal.SIGINT)


class Predictor:
    interrupt("import")

    def __init__(self):
        interrupt("constructor")

    def predict(self, payload):
        if 2 in payload:
            interrupt("predict")
        return payload

    def on_job_complete(self):
        interrupt("completion")
"""


@pytest.mark.parametrize("where", ["import", "constructor", "predict", "completion"])
def test_ctrl_c_in_user_code_that_runs_inline_is_no_failure_of_it(where: str, project: Path, tmp_path: Path) -> None:
    project.joinpath("predictor.py").write_text(f"WHERE = {where!r}\n{INTERRUPTED}")
    with pytest.raises(KeyboardInterrupt, match="insula resume"):
        insula.run(project, items=range(6), batch_size=1, executor="inline")
    job = insula.open_job(jobs(tmp_path)[0])
    assert job.status().status == "stopped"
    result = job.resume().wait(60)
    assert result.succeeded
    assert result.summary["attempts_failed"] == 0


LEFT = """
from bdb import BdbQuit
from pathlib import Path


class Predictor:
    def predict(self, payload):
        marker = Path(__file__).with_name(".left")
        if not marker.exists():
            marker.touch()
            raise BdbQuit
        return payload
"""


def test_leaving_the_debugger_stops_the_job(project: Path, tmp_path: Path) -> None:
    project.joinpath("predictor.py").write_text(LEFT)
    with pytest.raises(KeyboardInterrupt, match="insula resume"):
        insula.run(project, items=range(6), batch_size=1, executor="inline")
    result = insula.open_job(jobs(tmp_path)[0]).resume().wait(60)
    assert result.succeeded
    assert result.summary["attempts_failed"] == 0


def test_a_program_that_ends_leaves_a_job_to_resume(project: Path, tmp_path: Path) -> None:
    code = (
        "import insula, sys\n"
        "job = insula.submit(sys.argv[1], items=range(4), workers=1, config={'gate': sys.argv[2]})\n"
        "print(job.id)"
    )
    gate = tmp_path / "gate"
    done = subprocess.run(
        [sys.executable, "-c", code, str(project), str(gate)], capture_output=True, text=True, timeout=60, check=True
    )
    job = insula.open_job(done.stdout.strip())
    deadline = time.monotonic() + 30
    while job.status().running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert job.status().status == "interrupted"
    assert job.wait().finished is False
    gate.touch()
    assert job.resume().wait(60).predictions == 4


def test_large_integers_come_back_as_they_were(project: Path) -> None:
    result = insula.run(project, items=[2**63, 2**70], executor="inline")
    assert [one.prediction for one in result.job.results()] == [2**64, 2**71]


@pytest.mark.parametrize("item", [object(), {1, 2}])
def test_items_that_are_no_json(item: object, project: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="items cannot be written as JSON"):
        insula.run(project, items=[item])
    assert jobs(tmp_path) == []


def test_names() -> None:
    assert {"run", "submit", "open_job", "Job", "JobResult", "hookimpl"} <= set(dir(insula))
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        insula.walk  # noqa: B018
