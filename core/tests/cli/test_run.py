"""`insula run` without the engine: what is asked of it, and what becomes of its answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.errors import OutputError, ProjectError, WorkerFault
from insula.folder import JobFolder
from insula.jobs.running import Prepared, Watch
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, discard

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
Ending = Callable[[JobFolder, Watch], "dict[str, Any]"]


@attrs.define
class Engine:
    """Stands for the engine: makes real jobs, and ends them as a test wants."""

    make_job: Callable[..., Any]
    request: Request | None = None
    end: Ending = lambda folder, watch: SUMMARY

    def submit(self, request: Request, store: JobStore) -> Any:
        self.request = request
        return *self.make_job(), None

    def run(self, folder: JobFolder, record: Any, watch: Watch, composed: Any) -> dict[str, Any]:
        return {"job_id": record.job_id, **self.end(folder, watch)}


@pytest.fixture
def engine(make_job: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine(make_job)
    monkeypatch.setattr("insula.jobs.submitting.submit", engine.submit)
    monkeypatch.setattr("insula.jobs.running.run", engine.run)
    return engine


def test_the_request(runner: CliRunner, engine: Engine) -> None:
    options = (
        "p --api a --submission s.json --input x.jsonl --input y --batch-size 8 --workers 3 --output out "
        "--config a.b=1 --config c=text --executor inline"
    )
    assert runner.invoke(insula, ["run", *options.split()]).exit_code == 0
    assert engine.request == Request(
        project=Path("p"),
        api="a",
        submission=Path("s.json"),
        inputs=("x.jsonl", "y"),
        batch_size=8,
        workers=3,
        output="out",
        config={"a": {"b": 1}, "c": "text"},
        executor="inline",
    )


def test_the_request_without_options(runner: CliRunner, engine: Engine) -> None:
    runner.invoke(insula, ["run", "p"])
    assert engine.request == Request(Path("p"))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("succeeded", 0),
        ("completed_with_failures", 1),
        ("worker_error", 1),
        ("enqueue_failed", 1),
        ("stopped", 1),
        ("timed_out", 1),
        ("unexpected_error", 1),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"], ["--quiet"], ["--json", "--quiet"]])
def test_exit_codes_and_where_the_end_is_told(
    status: str, code: int, flags: list[str], runner: CliRunner, engine: Engine, store: JobStore
) -> None:
    engine.end = lambda folder, watch: {**SUMMARY, "status": status}
    done = runner.invoke(insula, ["run", "p", *flags])
    assert done.exit_code == code
    job_id = next(iter(store)).root.name
    if "--json" in flags:
        assert json.loads(done.stdout) == {"job_id": job_id, **SUMMARY, "status": status}
    else:
        told = "--quiet" not in flags and status in ("succeeded", "completed_with_failures")
        assert ("10 samples = 10 predictions" in done.stdout) == told
    resumable = status not in ("succeeded", "completed_with_failures")
    assert (f"insula resume {job_id}" in done.stderr) == resumable


def test_quiet_success_says_nothing(runner: CliRunner, engine: Engine) -> None:
    done = runner.invoke(insula, ["run", "p", "--quiet"])
    assert (done.stdout, done.stderr) == ("", "")


def test_quiet_tells_dead_letters(runner: CliRunner, engine: Engine) -> None:
    engine.end = lambda folder, watch: {**SUMMARY, "status": "completed_with_failures", "dead_letters": 1}
    done = runner.invoke(insula, ["run", "p", "--quiet"])
    assert done.stdout == ""
    assert "1 dead letter" in done.stderr


@pytest.mark.parametrize("flags", [[], ["--json"], ["--quiet"]])
def test_a_request_that_is_refused(
    flags: list[str], runner: CliRunner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(request: Request, store: JobStore) -> None:
        raise ProjectError("no project\nand more")

    monkeypatch.setattr("insula.jobs.submitting.submit", refuse)
    done = runner.invoke(insula, ["run", "p", *flags])
    assert (done.exit_code, done.stderr) == (2, "insula: no project\nand more\n")
    refusal = {"status": "refused", "message": "no project\nand more"}
    assert (json.loads(done.stdout) if "--json" in flags else done.stdout) == (refusal if "--json" in flags else "")


@pytest.mark.parametrize("flags", [[], ["--keep-going"]])
def test_keep_going(flags: list[str], runner: CliRunner, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def run(folder: JobFolder, record: Any, watch: Watch, prepared: Prepared) -> dict[str, Any]:
        seen.append(prepared.keep_going)
        return {"job_id": record.job_id, **SUMMARY}

    monkeypatch.setattr("insula.jobs.running.run", run)
    runner.invoke(insula, ["run", "p", *flags])
    assert seen == [bool(flags)]


def test_a_wrong_config_is_refused(runner: CliRunner, engine: Engine) -> None:
    done = runner.invoke(insula, ["run", "p", "--config", "a"])
    assert done.exit_code == 2
    assert done.stderr.startswith("insula: --config: expected key=value")
    assert engine.request is None


def test_a_fault_before_the_first_batch_leaves_no_job(runner: CliRunner, engine: Engine, store: JobStore) -> None:
    def end(folder: JobFolder, watch: Watch) -> dict[str, Any]:
        discard(folder)
        raise WorkerFault("predictor.py:3: no module named torch")

    engine.end = end
    done = runner.invoke(insula, ["run", "p", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout) == {
        "status": "refused",
        "message": "predictor.py:3: no module named torch",
    }
    assert list(store) == []


def test_a_user_error_that_leaves_a_job(runner: CliRunner, engine: Engine, store: JobStore) -> None:
    def end(folder: JobFolder, watch: Watch) -> dict[str, Any]:
        folder.status.write_text('{"status": "running"}')
        raise OutputError("the disk is full")

    engine.end = end
    done = runner.invoke(insula, ["run", "p", "--json"])
    assert done.exit_code == 1
    job_id = next(iter(store)).root.name
    answer = json.loads(done.stdout)
    assert answer["job_id"] == job_id
    assert "the disk is full" in answer["message"]
    assert f"insula resume {job_id}" in done.stderr


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_fault_of_insula(flags: list[str], runner: CliRunner, engine: Engine) -> None:
    def end(folder: JobFolder, watch: Watch) -> dict[str, Any]:
        raise ZeroDivisionError("nothing to divide")

    engine.end = end
    done = runner.invoke(insula, ["run", "p", *flags])
    assert done.exit_code == 1
    assert "Traceback" in done.stderr
    if flags:
        answer = json.loads(done.stdout)
        assert (answer["status"], answer["message"]) == (
            "unexpected_error",
            "ZeroDivisionError: nothing to divide",
        )


def test_an_interrupted_start(runner: CliRunner, engine: Engine, store: JobStore) -> None:
    def end(folder: JobFolder, watch: Watch) -> dict[str, Any]:
        raise KeyboardInterrupt

    engine.end = end
    done = runner.invoke(insula, ["run", "p"])
    assert done.exit_code == 130
    assert f"insula resume {next(iter(store)).root.name}" in done.stderr


@attrs.define
class Coordinator:
    stopped: int = 0

    def stop(self) -> None:
        self.stopped += 1

    def abort(self) -> None:
        raise AssertionError("one signal aborts nothing")


@pytest.mark.parametrize(("status", "code"), [("stopped", 130), ("succeeded", 0), ("completed_with_failures", 1)])
def test_ctrl_c_once(
    status: str, code: int, runner: CliRunner, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    coordinator = Coordinator()

    def end(folder: JobFolder, watch: Watch) -> dict[str, Any]:
        assert watch.began is not None
        watch.began(coordinator)  # type: ignore[arg-type]
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        signal.sigpending()
        return {**SUMMARY, "status": status}

    engine.end = end
    assert runner.invoke(insula, ["run", "p"]).exit_code == code
    assert coordinator.stopped == 1


def test_what_a_predictor_prints_is_no_part_of_the_answer(runner: CliRunner, engine: Engine) -> None:
    def end(folder: JobFolder, watch: Watch) -> dict[str, Any]:
        print("loading the model", flush=True)
        return SUMMARY

    engine.end = end
    done = runner.invoke(insula, ["run", "p", "--json"])
    assert json.loads(done.stdout)["status"] == "succeeded"
    assert "loading the model" in done.stderr


def test_in_another_thread(runner: CliRunner, engine: Engine) -> None:
    codes: list[int] = []
    arguments = ["run", "p", "--quiet"]
    thread = threading.Thread(
        target=lambda: codes.append(insula.main(arguments, prog_name="insula", standalone_mode=False))
    )
    thread.start()
    thread.join()
    assert codes == [0]
