"""The command line as a user has it: whole processes, the real engine, jobs of a few rows."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Insula = Callable[..., "subprocess.CompletedProcess[str]"]
Rows = Callable[["list[dict[str, object]]"], None]
EXECUTORS = pytest.mark.parametrize("executor", ["inline", "process"])
_DEADLINE = 60.0


def predictions(folder: Path) -> list[Any]:
    lines = folder.joinpath("predictions.jsonl").read_text().splitlines()
    return [json.loads(line)["prediction"] for line in lines]


def jobs(insula: Insula) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(insula("jobs", "--json").stdout)
    return found


@pytest.fixture
def command(project: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """The arguments that run the project into `out`, two samples a batch, in one worker."""

    def command(executor: str, *more: str) -> list[str]:
        options = ["--input", project / "rows.jsonl", "--batch-size", 2, "--workers", 1]
        arguments = ["run", project, *options, "--output", tmp_path / "out", "--executor", executor]
        return [*map(str, arguments), *more]

    return command


@pytest.fixture
def begin(environment: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Starts a command and leaves it running."""

    @contextmanager
    def begin(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
        started = [sys.executable, "-m", "insula", *arguments]
        with subprocess.Popen(
            started, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return begin


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reached(project: Path, gate: str) -> None:
    wait_for(project.joinpath(f".reached-{gate}").exists)


def go(project: Path, gate: str) -> None:
    project.joinpath(f".go-{gate}").touch()


# ---------------------------------------------------------------------------------------------------- run


@EXECUTORS
def test_run(executor: str, insula: Insula, command: Callable[..., list[str]], tmp_path: Path) -> None:
    done = insula(*command(executor))
    assert done.returncode == 0, done.stderr
    assert predictions(tmp_path / "out") == [2 * number for number in range(10)]
    job = jobs(insula)[0]
    assert job["status"] == "succeeded"
    assert done.stdout.splitlines() == [
        f"Job {job['job_id']} succeeded: 5 batches in 0:00:00",
        "10 samples = 10 predictions + 0 dead letters + 0 stored by the predictor",
        f"Results: {tmp_path / 'out'}",
    ]
    assert done.stderr.splitlines() == [f"job {job['job_id']} begins", "enqueued: 5 batches, 10 samples"]


@EXECUTORS
def test_run_as_json(
    executor: str, insula: Insula, command: Callable[..., list[str]], rows: Rows, tmp_path: Path
) -> None:
    rows([{"a": 1, "print": "noise"}])
    done = insula(*command(executor, "--json"))
    summary = json.loads(done.stdout)
    written = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {**summary, "end_time": None, "seconds": None} == {**written, "end_time": None, "seconds": None}
    assert (summary["status"], summary["samples"], summary["predictions"]) == ("succeeded", 1, 1)


@EXECUTORS
def test_dead_letters(
    executor: str, insula: Insula, command: Callable[..., list[str]], rows: Rows, tmp_path: Path
) -> None:
    rows([{"a": 1}, {"fail": "not this one"}, {"a": 3}])
    done = insula(*command(executor))
    assert done.returncode == 1
    assert "3 samples = 2 predictions + 1 dead letter + 0 stored by the predictor" in done.stdout
    assert f"{tmp_path}/out/dead_letters.jsonl" in done.stdout
    assert "ValueError: not this one" in done.stderr
    assert predictions(tmp_path / "out") == [2, 6]


@EXECUTORS
def test_what_is_wrong_with_the_input_leaves_nothing(
    executor: str, insula: Insula, command: Callable[..., list[str]], project: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "no-rows.jsonl"
    rows.write_text("no JSON\n" * 30)
    done = insula(*command(executor, "--json", "--input", str(rows)))
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["status"] == "enqueue_failed"
    assert str(rows) in done.stderr
    assert jobs(insula) == []


@EXECUTORS
def test_what_is_wrong_with_a_project_leaves_nothing(
    executor: str, insula: Insula, command: Callable[..., list[str]], project: Path, tmp_path: Path
) -> None:
    project.joinpath("predictor.py").write_text(
        "import no_such_module\n\n" + project.joinpath("predictor.py").read_text()
    )
    done = insula(*command(executor, "--json"))
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["status"] == "refused"
    assert "no_such_module" in done.stderr
    # The user's own frames help her; insula's do not.
    assert "/insula/" not in done.stderr
    assert jobs(insula) == []
    assert not (tmp_path / "out").exists()


def test_a_job_that_cannot_go_on(insula: Insula, command: Callable[..., list[str]], project: Path) -> None:
    project.joinpath("predictor.py").write_text(
        "import os\nclass Predictor:\n    def predict(self, payload):\n        os._exit(3)\n"
    )
    done = insula(*command("process"))
    assert done.returncode == 1
    job = jobs(insula)[0]
    assert f"insula: job {job['job_id']}: worker error: no worker stays alive" in done.stderr
    assert f"insula resume {job['job_id']}" in done.stderr
    assert "worker 0 ended with exit code 3" in done.stderr


# ---------------------------------------------------------------------------------------------------- stop and go on


@EXECUTORS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_running_batch_finish(
    executor: str,
    number: int,
    insula: Insula,
    command: Callable[..., list[str]],
    begin: Callable[..., Any],
    rows: Rows,
    project: Path,
    tmp_path: Path,
) -> None:
    # Two seconds of work, of which a part is done when the signal comes.
    rows(
        [
            {"a": 0},
            {"a": 1},
            {"a": 2, "wait": "x"},
            *({"a": number, "seconds": 0.05} for number in range(3, 50)),
        ]
    )
    with begin(command(executor)) as process:
        reached(project, "x")
        process.send_signal(number)
        assert process.stderr is not None
        wait_for(lambda: "once more ends at once" in process.stderr.readline())
        go(project, "x")
        _, error = process.communicate(timeout=_DEADLINE)
    assert process.returncode == 130, error
    job = jobs(insula)[0]
    assert job["status"] == "stopped"
    assert 4 <= job["samples_done"] < 50
    assert f"insula resume {job['job_id']}" in error
    with begin(["resume", job["job_id"]]) as process:
        _, error = process.communicate(timeout=_DEADLINE)
    assert process.returncode == 0, error
    assert f"job {job['job_id']} goes on (start 2)" in error
    assert predictions(tmp_path / "out") == [2 * number for number in range(50)]


def test_two_signals_end_at_once(
    insula: Insula,
    command: Callable[..., list[str]],
    begin: Callable[..., Any],
    rows: Rows,
    project: Path,
    tmp_path: Path,
) -> None:
    rows([{"a": 0}, {"a": 1}, {"a": 2, "wait": "x"}])
    with begin(command("process", "--json")) as process:
        reached(project, "x")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        wait_for(lambda: "once more ends at once" in process.stderr.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=_DEADLINE)
    assert process.returncode == 130
    assert json.loads(out)["status"] == "stopped"
    go(project, "x")
    assert insula("resume", jobs(insula)[0]["job_id"]).returncode == 0
    assert predictions(tmp_path / "out") == [0, 2, 4]


def test_stop_from_another_terminal(
    insula: Insula, command: Callable[..., list[str]], begin: Callable[..., Any], rows: Rows, project: Path
) -> None:
    rows(
        [
            {"a": 0},
            {"a": 1},
            {"a": 2, "wait": "x"},
            *({"a": number, "seconds": 0.05} for number in range(3, 50)),
        ]
    )
    with begin(command("process")) as process:
        reached(project, "x")
        job_id = jobs(insula)[0]["job_id"]
        again = insula("resume", job_id)
        assert (again.returncode, "running already, in process" in again.stderr) == (1, True)
        assert insula("stop", job_id, "--no-wait").returncode == 0
        go(project, "x")
        done = insula("stop", job_id)
        _, error = process.communicate(timeout=_DEADLINE)
    # It may have stopped before it was asked for the second time.
    assert done.returncode in (0, 2)
    assert process.returncode == 1
    assert f"insula: job {job_id}: stopped" in error
    assert json.loads(insula("status", job_id, "--json").stdout)["status"] == "stopped"


def test_a_killed_job_is_interrupted_and_goes_on(
    insula: Insula,
    command: Callable[..., list[str]],
    begin: Callable[..., Any],
    rows: Rows,
    project: Path,
    tmp_path: Path,
) -> None:
    rows([*({"a": number} for number in range(8)), {"a": 8, "wait": "x"}, {"a": 9}])
    with begin(command("process")) as process:
        reached(project, "x")
        job_id = jobs(insula)[0]["job_id"]

        def settled() -> int:
            found: int = json.loads(insula("status", job_id, "--json").stdout).get("accounted", 0)
            return found

        wait_for(lambda: settled() > 0)
        process.kill()
        process.wait()
    status = json.loads(insula("status", job_id, "--json").stdout)
    assert (status["status"], status["samples"]) == ("interrupted", 10)
    assert 0 < status["accounted"] <= 8
    project.joinpath("predictor.py").write_text(project.joinpath("predictor.py").read_text() + "# changed\n")
    assert insula("resume", job_id).returncode == 1
    go(project, "x")
    done = insula("resume", job_id, "--changed")
    assert done.returncode == 0, done.stderr
    assert predictions(tmp_path / "out") == [2 * number for number in range(10)]


# ---------------------------------------------------------------------------------------------------- on a terminal


def test_the_bar_on_a_terminal(
    command: Callable[..., list[str]], environment: dict[str, str], rows: Rows, project: Path
) -> None:
    rows([{"a": 0}, {"a": 1}, {"a": 2, "wait": "x"}, {"a": 3}])
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "insula", *command("process")],
        env={**environment, "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = ""
    while chunk := read(terminal):
        shown += chunk
        if "slowest batch" in shown:
            go(project, "x")
    code = process.wait(timeout=_DEADLINE)
    os.close(terminal)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert code == 0, plain
    assert "running  50% " in plain
    assert "1 of 2 batches" in plain
    assert "slowest batch 0:00:0" in plain
    # The bar is gone at the end, and the cursor is back.
    assert "\x1b[2K" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "4 samples = 4 predictions" in plain.rpartition("running")[2]


def read(terminal: int) -> str:
    """Return what a terminal shows next, nothing when its last process has gone."""
    ready, _, _ = select.select([terminal], [], [], _DEADLINE)
    assert ready, "nothing is shown"
    try:
        return os.read(terminal, 1 << 16).decode()
    except OSError:
        return ""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
@EXECUTORS
def test_closed_streams_are_no_place_for_a_ledger(
    executor: str,
    closed: tuple[int, ...],
    command: Callable[..., list[str]],
    environment: dict[str, str],
    rows: Rows,
    tmp_path: Path,
) -> None:
    rows([{"a": 1}, {"a": 2, "fail": "not this one"}])

    without = " ".join(f"{descriptor}>&-" for descriptor in closed)
    shell = ["sh", "-c", f'exec "$@" {without}', "sh", sys.executable, "-m", "insula", *command(executor)]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=_DEADLINE)
    assert done.returncode == 1, done.stderr
    assert predictions(tmp_path / "out") == [2]


def test_an_ascii_terminal(insula: Insula, environment: dict[str, str], tmp_path: Path) -> None:
    environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = insula("run", tmp_path / "kein-würdiger-Ordner")
    assert done.returncode == 2
    assert "w\\xfcrdiger" in done.stderr or "w\\udcc3\\udcbcrdiger" in done.stderr
