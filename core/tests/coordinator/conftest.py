"""Jobs of a predictor type that asks a server: the type is a package that is found as all are, the server a few lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest

from insula.folder import JobFolder
from insula.jobs.record import read_record
from insula.jobs.running import Watch, run
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit

DEADLINE = 60.0

TYPE = """
import json, os, socket, sys
from pathlib import Path

import attrs

import insula
from insula.descriptors import COMPLETED, Client, Predictions, Predictor, PredictorType, Service


@attrs.frozen
class Settings:
    each: bool = False
    program: str = sys.executable


def ask(address, sample):
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connected:
        connected.sendall(json.dumps(sample).encode() + b"\\n")
        with connected.makefile() as lines:
            return json.loads(lines.readline())


class Asking:
    @insula.hookimpl
    def insula_predictor_type(self):
        return PredictorType("asking", class_name=None, settings=Settings)

    @insula.hookimpl
    def insula_services(self, context, assignments):
        settings = context.api.predictor.settings
        argv = (settings.program, "-I", "-S", str(context.project / "server.py"), "{port}", "{folder}")
        files = {"settings.json": '{"port": {port}}'}
        environment = {"PLACE": "{folder} {context.project}"}
        workers = range(context.workers) if settings.each else [None]
        return [Service("answers", argv, environment, files, worker) for worker in workers]

    @insula.hookimpl
    def insula_create_client(self, context):
        return Client(None, context.services["answers"])

    @insula.hookimpl
    def insula_create_predictor(self, client):
        return Predictor(client.object, completes=True)

    @insula.hookimpl
    def insula_predict_batch(self, context, predictor, payload):
        answers = [ask(predictor.object, sample) for sample in payload]
        return Predictions.each([{**one, "worker": context.assignment.worker} for one in answers])

    @insula.hookimpl
    def insula_job_complete(self, context, predictor):
        answer = ask(predictor.object, {"n": -1})
        Path(context.job_spec["output"], "completed.json").write_text(json.dumps(answer))
        return COMPLETED


plugin = Asking()
"""

# `started` runs before the port is open; `answer` makes the reply.
SERVER = """
import json, os, socketserver, sys, time
from pathlib import Path

HERE, FOLDER = Path(__file__).parent, Path(sys.argv[2])

def started():
    pass

def answer(sample):
    time.sleep(sample.get("seconds", 0))
    return {"double": sample["n"] * 2, "server": os.getpid()}

# CHANGES

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        if line:
            self.wfile.write(json.dumps(answer(json.loads(line))).encode() + b"\\n")

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

with open(HERE / "starts", "a") as file:
    file.write(f"{os.getpid()} {sys.argv[1]}\\n")
started()
with Server(("127.0.0.1", int(sys.argv[1])), Handler) as server:
    server.serve_forever()
"""


@attrs.frozen
class Start:
    """A start of the server, as the server itself wrote it down."""

    pid: int
    port: int


@attrs.define
class Served:
    """A project of that type, and its jobs."""

    root: Path
    mark: str = attrs.field(factory=lambda: f"served-{uuid.uuid4()}")
    processes_started: list[subprocess.Popen[bytes]] = attrs.field(factory=list)

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def output(self) -> Path:
        return self.root / "out"

    def server(self, changes: str = "") -> None:
        """Write the server, with functions of its own in place of the usual ones."""
        (self.project / "server.py").write_text(SERVER.replace("# CHANGES", changes))

    def settings(self, **predictor: Any) -> None:
        entry = {"name": "api", "predictor": {"type": "asking", **predictor}}
        (self.project / "cortex.yaml").write_text(json.dumps(entry))

    def submission(self, samples: list[dict[str, Any]], workers: int = 1, **more: Any) -> dict[str, Any]:
        source = {"item_list": {"items": samples, "batch_size": 1}}
        return {**source, "workers": workers, "output": str(self.output), **more}

    def submit(self, samples: list[dict[str, Any]], executor: str = "process", **more: Any) -> JobFolder:
        request = Request(self.project, submission=self.submission(samples, **more), executor=executor)
        folder, _, _ = submit(request, JobStore(self.root / "home"))
        return folder

    def run(self, samples: list[dict[str, Any]], executor: str = "process", **more: Any) -> Mapping[str, Any]:
        return self.go_on(self.submit(samples, executor, **more))

    def go_on(self, folder: JobFolder, watch: Watch | None = None) -> Mapping[str, Any]:
        return run(folder, read_record(folder), watch)

    def command(self, *words: object) -> subprocess.Popen[bytes]:
        """Start a command of insula."""
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "insula", *map(str, words)], stdout=log, stderr=log)
        self.processes_started.append(process)
        return process

    # ------------------------------------------------------------------------------------------ looking

    @property
    def folder(self) -> JobFolder:
        """The folder of the one job."""
        (folder,) = JobStore(self.root / "home")
        return folder

    @property
    def jobs(self) -> list[JobFolder]:
        return list(JobStore(self.root / "home"))

    @property
    def starts(self) -> list[Start]:
        """The starts of the server."""
        file = self.project / "starts"
        lines = file.read_text().splitlines() if file.exists() else []
        return [Start(*map(int, line.split())) for line in lines]

    def predictions(self) -> list[dict[str, Any]]:
        lines = (self.output / "predictions.jsonl").read_text().splitlines()
        return [json.loads(line)["prediction"] for line in lines]

    def events(self, name: str) -> list[dict[str, Any]]:
        found = map(json.loads, self.folder.events.read_text().splitlines())
        return [event for event in found if event["event"] == name]

    def processes(self) -> set[int]:
        """Return every process that a job of this project started and that is alive."""
        found = set()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and f"SERVED={self.mark}\0".encode() in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
        return found - {os.getpid()}

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until a condition holds; return its value."""
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            assert time.monotonic() < deadline, f"in vain for {what}"
            time.sleep(0.01)
        return found

    def close(self) -> None:
        """End what a failed test left."""
        for process in self.processes_started:
            process.kill()
            process.wait()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, 9)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    folder.joinpath("insula_asking_type.py").write_text(TYPE)
    info = folder / "insula_asking_type-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: insula-asking-type\nVersion: 1.0\nRequires-Dist: insula>=0.1,<1\n"
    )
    info.joinpath("entry_points.txt").write_text("[insula.predictors]\nasking = insula_asking_type:plugin\n")
    return folder


@pytest.fixture
def served(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    (tmp_path / "project").mkdir()
    made = Served(tmp_path)
    made.server()
    made.settings()
    monkeypatch.syspath_prepend(str(site))
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    for name, value in {"PYTHONPATH": path, "SERVED": made.mark, "INSULA_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()
