"""Services of real jobs, which ask a real little server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from insula.coordinator import services as services_module
from insula.coordinator.services import Services
from insula.coordinator.status import Progress
from insula.descriptors import Service
from insula.errors import UserError
from insula.events import EventLog
from insula.folder import JobFolder
from insula.jobs.running import Watch
from insula.ledger import Ledger
from insula.spec import Submission

EXECUTORS = pytest.mark.parametrize("executor", ["process", "inline"])
pytestmark = pytest.mark.timeout(120)


def numbers(count: int, seconds: float = 0.0) -> list[dict[str, Any]]:
    return [{"n": number, "seconds": seconds} for number in range(count)]


def end_once_something_is_done(stands: Progress) -> None:
    if stands.accounted:
        raise KeyboardInterrupt


def test_one_for_the_job(served) -> None:
    served.server(
        "def started():\n"
        "    print('this is the server', flush=True)\n"
        "    seen = [os.environ['PLACE'], os.getcwd(), (FOLDER / 'settings.json').read_text()]\n"
        "    (HERE / 'seen.json').write_text(json.dumps([*seen, os.readlink('/proc/self/fd/0')]))\n"
    )
    summary = served.run(numbers(40, seconds=0.1), workers=2)
    assert (summary["status"], summary["predictions"], summary["attempts_failed"]) == ("succeeded", 40, 0)
    found = served.predictions()
    assert [one["double"] for one in found] == [2 * n for n in range(40)]
    (start,) = served.starts
    assert {one["server"] for one in found} == {start.pid}
    assert {one["worker"] for one in found} == {0, 1}
    # It is still there when the job completes, and gone with the job.
    assert json.loads((served.output / "completed.json").read_text())["server"] == start.pid
    assert served.processes() == set()

    folder = served.folder.services / "answers"
    seen = [f"{folder} {{context.project}}", str(folder), json.dumps({"port": start.port}), "/dev/null"]
    assert json.loads((served.project / "seen.json").read_text()) == seen
    assert (served.folder.services / "answers.log").read_text() == "this is the server\n"
    (event,) = served.events("service_started")
    assert (event["service"], event["worker"], event["pid"], event["port"]) == ("answers", None, start.pid, start.port)
    assert len(served.events("service_ready")) == 1


def test_one_for_each_worker(served) -> None:
    served.settings(each=True)
    assert served.run(numbers(40, seconds=0.1), workers=2)["status"] == "succeeded"
    pairs = {(one["worker"], one["server"]) for one in served.predictions()}
    assert len(pairs) == 2
    assert {worker for worker, _ in pairs} == {0, 1}
    assert {server for _, server in pairs} == {start.pid for start in served.starts}
    assert {(one["worker"], one["pid"]) for one in served.events("service_started")} == pairs
    assert {path.name for path in served.folder.services.glob("*.log")} == {"answers.0.log", "answers.1.log"}
    assert served.processes() == set()


DIES_ONCE = """
def answer(sample):
    if sample["n"] == 7 and not (FOLDER / "died").exists():
        (FOLDER / "died").touch()
        os.kill(os.getpid(), 9)
    return {"double": sample["n"] * 2, "server": os.getpid()}
"""


@EXECUTORS
def test_one_that_dies_is_started_again_on_its_port(served, executor: str) -> None:
    served.server(DIES_ONCE)
    summary = served.run(numbers(20), executor, workers=1 if executor == "inline" else 2)
    assert (summary["status"], summary["predictions"]) == ("succeeded", 20)
    assert summary["attempts_failed"] >= 1
    assert [one["double"] for one in served.predictions()] == [2 * n for n in range(20)]
    first, second = served.starts
    assert first.port == second.port
    assert first.pid != second.pid
    (event,) = served.events("service_ended")
    assert (event["service"], event["cause"]) == ("answers", "was killed by SIGKILL")
    assert served.processes() == set()


@EXECUTORS
def test_one_that_dies_at_once(served, executor: str) -> None:
    served.server("def started():\n    sys.exit('no such model: it was eaten')\n")
    folder = served.submit(numbers(3), executor)
    with pytest.raises(UserError) as caught:
        served.go_on(folder)
    assert str(caught.value) == (
        "service answers ended with exit code 1 before it was ready, 3 times in a row; the end of its log:\n"
        "  no such model: it was eaten"
    )
    assert served.jobs == []
    assert len(served.starts) == 3
    assert served.processes() == set()


def test_a_port_that_was_taken_meanwhile_is_left(served) -> None:
    served.server("def started():\n    (HERE / 'starts').read_text().count('\\n') < 3 and sys.exit('port taken')\n")
    assert served.run(numbers(3))["status"] == "succeeded"
    assert len({start.port for start in served.starts}) == 3


def test_one_that_does_not_get_ready(served) -> None:
    served.server("def started():\n    print('still loading', flush=True)\n    time.sleep(300)\n")
    folder = served.submit(numbers(3), startup_timeout=3)
    with pytest.raises(UserError, match=r"answers was not ready within startup_timeout, 3 s; .*\n  still loading"):
        served.go_on(folder)
    assert served.jobs == []
    assert served.processes() == set()


def test_a_program_that_is_not_there(served) -> None:
    served.settings(program="tensorflow_model_server_that_nobody_has")
    folder = served.submit(numbers(3))
    with pytest.raises(UserError, match="service answers: there is no program tensorflow_model_server_that_nobody_has"):
        served.go_on(folder)
    assert served.jobs == []


def test_a_program_that_is_gone_when_the_job_goes_on(served) -> None:
    program = served.root / "server-program"
    program.symlink_to(sys.executable)
    served.settings(program=str(program))
    folder = served.submit(numbers(30, seconds=0.02))
    assert served.go_on(folder, Watch(progress=end_once_something_is_done))["status"] == "stopped"
    program.unlink()
    summary = served.go_on(folder)
    assert (summary["status"], summary["message"]) == (
        "worker_error", f"service answers: there is no program {program}"
    )  # fmt: skip
    program.symlink_to(sys.executable)
    assert served.go_on(folder)["status"] == "succeeded"
    assert served.processes() == set()


def test_a_job_of_which_something_is_done_can_go_on(served) -> None:
    served.server(
        "def started():\n    (HERE / 'ill').exists() and sys.exit('still ill')\n"
        "def answer(sample):\n"
        "    if sample['n'] == 7 and not (HERE / 'well').exists():\n"
        "        (HERE / 'ill').touch()\n"
        "        os._exit(3)\n"
        "    return {'double': sample['n'] * 2}\n"
    )
    folder = served.submit(numbers(20))
    summary = served.go_on(folder)
    assert summary["status"] == "worker_error"
    assert summary["message"].startswith("service answers ended with exit code 1 before it was ready, 3 times in a row")
    assert "still ill" in summary["message"]
    assert served.processes() == set()
    (served.project / "ill").unlink()
    (served.project / "well").touch()
    assert served.go_on(folder)["status"] == "succeeded"
    assert [one["double"] for one in served.predictions()] == [2 * n for n in range(20)]


def test_what_it_started_ends_with_it(served) -> None:
    served.server(
        "def started():\n"
        "    import signal\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    os.fork() or time.sleep(300)\n"
    )
    assert served.run(numbers(3))["status"] == "succeeded"
    assert served.processes() == set()


@EXECUTORS
def test_a_job_is_stopped_while_it_starts(served, executor: str) -> None:
    served.server("def started():\n    time.sleep(300)\n")
    summary = served.go_on(served.submit(numbers(3), executor), Watch(began=lambda coordinator: coordinator.stop()))
    assert summary["status"] == "stopped"
    assert served.processes() == set()


def test_a_job_is_ended_at_once(served) -> None:
    folder = served.submit(numbers(200, seconds=0.02))
    assert served.go_on(folder, Watch(progress=end_once_something_is_done))["status"] == "stopped"
    assert served.processes() == set()


# ------------------------------------------------------------------------------------------------ coordinators that die


def killed(served) -> int:
    """Start a job, kill its coordinator in the middle; return the server's process id."""
    (served.root / "job.json").write_text(json.dumps(served.submission(numbers(60, seconds=0.02))))
    process = served.command("run", served.project, "--submission", served.root / "job.json", "--quiet")
    part = "part of the results"
    served.wait(lambda: served.jobs and any(one.stat().st_size for one in served.folder.parts.iterdir()), part)
    (start,) = served.starts
    process.kill()
    process.wait()
    return start.pid


def finish(served) -> None:
    process = served.command("resume", served.folder.root.name, "--quiet")
    assert process.wait(100) == 0, (served.root / "log").read_text()
    assert [one["double"] for one in served.predictions()] == [2 * n for n in range(60)]
    served.wait(lambda: not served.processes(), "the end of all processes")


def test_it_ends_with_its_coordinator(served) -> None:
    killed(served)
    served.wait(lambda: not served.processes(), "the end of all processes")
    finish(served)


def test_one_that_outlived_its_coordinator_is_ended_by_the_next(served) -> None:
    served.server("def started():\n    import ctypes\n    ctypes.CDLL(None).prctl(1, 0)\n")
    survivor = killed(served)
    os.kill(survivor, signal.SIGSTOP)
    served.wait(lambda: served.processes() == {survivor}, "the end of all others")
    finish(served)
    assert len({start.pid for start in served.starts}) == 2


# ------------------------------------------------------------------------------------------------ without a job


@pytest.fixture
def watched(served) -> Iterator[tuple[Services, Ledger, Any]]:
    """Services of no job, by a clock of their own."""
    folder = JobFolder(served.root / "job")
    folder.create()
    clock = SimpleNamespace(now=0.0)
    argv = (sys.executable, "-I", "-S", str(served.project / "server.py"), "{port}", "{folder}")
    job: Any = SimpleNamespace(
        folder=folder, submission=Submission("s", None), services=[Service("answers", argv)],
        environment=dict(os.environ), assignments=[],
    )  # fmt: skip
    ledger = Ledger(folder.ledger, create=True)
    with EventLog(folder.events) as events:
        services = Services(job, ledger, events, lambda: clock.now)
        yield services, ledger, clock
        services.close()
    ledger.close()


def get_ready(served, services: Services) -> int:
    """Wait until the server is ready; return its process id."""
    served.wait(lambda: services.watch() or services.ready, "the server")
    return int(served.starts[-1].pid)


def kill(served, services: Services, clock: Any) -> None:
    """Have the server ready, kill it, and let the time pass until it may be started again."""
    os.kill(get_ready(served, services), signal.SIGKILL)
    served.wait(lambda: services.watch() or not services.ready, "its end")
    clock.now += 10


def test_deaths_with_nothing_settled_in_between_are_bounded(served, watched, monkeypatch) -> None:
    services, ledger, clock = watched
    monkeypatch.setattr(services_module, "DEATHS", 3)
    for _ in range(2):
        kill(served, services, clock)
    ledger.state.each += 1
    for _ in range(2):
        kill(served, services, clock)
    ledger.state.attempts += 1
    for _ in range(2):
        kill(served, services, clock)
    message = "^service answers was killed by SIGKILL, 3 times with no batch settled in between$"
    with pytest.raises(UserError, match=message):
        kill(served, services, clock)
    assert len({start.port for start in served.starts}) == 1


def test_the_ledger_knows_who_runs(served, watched) -> None:
    services, ledger, clock = watched
    get_ready(served, services)
    assert [(name, pid) for name, pid, _ in ledger.workers()] == [("service-answers-1", served.starts[0].pid)]
    assert services.addresses(0) == {"answers": f"127.0.0.1:{served.starts[0].port}"}
    kill(served, services, clock)
    get_ready(served, services)
    assert [(name, pid) for name, pid, _ in ledger.workers()] == [("service-answers-2", served.starts[1].pid)]


def test_a_job_without_services_imports_nothing_for_them() -> None:
    code = "import sys, insula.jobs.running; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "insula.jobs.running" in names
    assert not {"insula.coordinator.services", "insula.coordinator.server", "insula.jobs.services"} & set(names)
