"""Storages on loopback: a server that speaks S3, and a web server that misbehaves as it is told."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from insula.folder import JobFolder
from insula.jobs.record import read_record
from insula.jobs.running import run
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=key/x/us-east-1/s3/aws4_request"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insula.storage.retrying.DELAYS", (0.01, 0.01, 0.01, 0.01))
    monkeypatch.setenv("INSULA_STORAGE_TIMEOUT", "1.5")


# ------------------------------------------------------------------------------------------------ S3


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of an S3 server, which is a process of its own."""
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDEVMODE"}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        wait_for(lambda: answers(port), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@attrs.frozen
class Bucket:
    """One empty bucket, used through plain requests: none of the libraries under test."""

    address: str
    name: str

    def request(self, method: str, key: str, body: bytes = b"") -> bytes:
        connection = self._connect()
        try:
            return self._request(connection, method, key, body)
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=30)

    def _request(self, connection: http.client.HTTPConnection, method: str, key: str, body: bytes) -> bytes:
        connection.request(method, f"/{self.name}/{key}", body, {"Authorization": AUTHORIZATION})
        response = connection.getresponse()
        data = response.read()
        assert response.status < 300, (response.status, data)
        return data

    def put_many(self, keys: Iterable[str]) -> None:
        """Make empty objects over one connection."""
        connection = self._connect()
        for key in keys:
            self._request(connection, "PUT", key, b"")
        connection.close()

    def put(self, key: str, data: bytes) -> str:
        self.request("PUT", key, data)
        return self.url(key)

    def get(self, key: str) -> bytes:
        return self.request("GET", key)

    def keys(self) -> list[str]:
        return re.findall("<Key>(.*?)</Key>", self.request("GET", "").decode())

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


@pytest.fixture
def bucket(moto: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for key, value in {**KEYS, "AWS_ENDPOINT_URL": moto}.items():
        monkeypatch.setenv(key, value)
    made = Bucket(moto, f"b{uuid.uuid4().hex}")
    made.request("PUT", "")
    return made


# ------------------------------------------------------------------------------------------------ web


@attrs.define
class Web:
    """A web server's files and faults.

    Attributes:
        ranges: whether it understands Range.
        faults: by path, what the next GETs of it do: `500`, `403`, `cut`, `stall`, `reset`, or nothing ("").
        requests: method, path and Range of each request.
    """

    address: str = ""
    files: dict[str, bytes] = attrs.field(factory=dict)
    versions: dict[str, int] = attrs.field(factory=dict)
    faults: dict[str, list[str]] = attrs.field(factory=dict)
    requests: list[tuple[str, str, str | None]] = attrs.field(factory=list)
    ranges: bool = True
    sizes: bool = True
    stopped: threading.Event = attrs.field(factory=threading.Event)

    def put(self, path: str, data: bytes) -> str:
        self.files[path] = data
        self.versions[path] = self.versions.get(path, 0) + 1
        return f"{self.address}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        web, path = self.web, self.path.partition("?")[0]
        wanted = self.headers.get("Range")
        web.requests.append(("GET", path, wanted))
        fault = web.faults.get(path, [])
        self._answer(path, wanted, fault.pop(0) if fault else "")

    def _answer(self, path: str, wanted: str | None, fault: str) -> None:
        web = self.web
        if fault.isdigit():
            return self._say(int(fault), {}, b"no")
        if fault == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        if fault == "stall":
            web.stopped.wait(20)
        if path not in web.files:
            return self._say(404, {}, b"gone")
        data, tag = web.files[path], {"ETag": f'"{web.versions[path]}"'}
        if wanted is None or not web.ranges:
            return self._say(200, tag, data, fault)
        start, stop = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
        if start >= len(data):
            return self._say(416, {**tag, "Content-Range": f"bytes */{len(data)}"}, b"")
        stop = min(stop + 1, len(data))
        place = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}
        return self._say(206, {**tag, **place}, data[start:stop], fault)

    def do_PUT(self) -> None:
        self.web.requests.append(("PUT", self.path, None))
        fault = self.web.faults.get(self.path, [])
        answer = fault.pop(0) if fault else ""
        data = self._body()
        if answer == "stall":
            self.web.stopped.wait(20)
        if answer.isdigit():
            return self._say(int(answer), {}, b"no")
        self.web.put(self.path, data)
        return self._say(201, {}, b"")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def do_DELETE(self) -> None:
        self.web.requests.append(("DELETE", self.path, None))
        self.web.files.pop(self.path, None)
        self._say(204, {}, b"")

    def _say(self, status: int, headers: Mapping[str, str], body: bytes, fault: str = "") -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if self.web.sizes or status != 200:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.close_connection = True
        self.end_headers()
        try:
            self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        except OSError:
            self.close_connection = True
        if fault == "cut":
            self.close_connection = True


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": made}))
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


# ------------------------------------------------------------------------------------------------ jobs

PREDICTOR = """
class PythonPredictor:
    def __init__(self, job_spec):
        self.output = job_spec["output"]

    def predict(self, payload):
        return payload

    def on_job_complete(self):
        with open("completed", "a") as file:
            file.write(self.output + "\\n")
"""


@attrs.frozen
class Project:
    """A project that predicts what it is given."""

    folder: Path
    home: Path

    def submit(self, paths: list[str], output: str | None = None, **more: Any) -> JobFolder:
        """Make a job over JSON lines."""
        settings = {"paths": paths, "batch_size": more.pop("batch_size", 10)}
        submission: dict[str, Any] = {"retries": 0, "workers": 1, "delimited_files": settings, **more}
        (self.folder / "job.json").write_text(json.dumps(submission))
        folder, _, _ = submit(Request(self.folder, output=output, executor="inline"), JobStore(self.home))
        return folder

    def run(self, folder: JobFolder) -> dict[str, Any]:
        """Run a job from wherever it stands."""
        return run(folder, read_record(folder))

    def predictions(self, folder: JobFolder) -> list[Any]:
        """The predictions of a job whose results stay in its folder."""
        text = (folder.results / "predictions.jsonl").read_text()
        return [json.loads(line)["prediction"] for line in text.splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "predictor.py").write_text(PREDICTOR)
    api = {"name": "echo", "predictor": {"type": "python", "path": "predictor.py"}}
    (folder / "cortex.yaml").write_text(yaml.safe_dump([api]))
    return Project(folder, tmp_path / "home")
