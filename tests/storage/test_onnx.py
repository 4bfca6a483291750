"""Models of the predictor type `onnx` on S3, in jobs with workers of their own."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
from making import scaled

from insula.errors import ProjectError
from insula.folder import JobFolder
from insula.jobs.record import read_record
from insula.jobs.running import run
from insula.jobs.store import JobStore
from insula.jobs.submitting import Request, submit

PREDICTOR = """
class ONNXPredictor:
    def __init__(self, onnx_client):
        self.client = onnx_client

    def predict(self, payload):
        return self.client.predict({"x": payload})[0]
"""
PASSED_ON = ("ETag", "Last-Modified", "Content-Type", "Content-Range")


@attrs.define
class Relay:
    """Stands before an S3 server, counts who reads objects, and cuts answers.

    Attributes:
        read: the path of each GET of an object.
        cuts: how many of the next ones break off in the middle.
    """

    server: str
    address: str = ""
    read: list[str] = attrs.field(factory=list)
    cuts: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    relay: Relay

    def log_message(self, *_: Any) -> None:
        pass

    def _pass(self) -> None:
        connection = http.client.HTTPConnection(self.relay.server.removeprefix("http://"), timeout=30)
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection.request(self.command, self.path, body, dict(self.headers))
            self._answer(connection.getresponse())
        finally:
            connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass

    def _answer(self, response: http.client.HTTPResponse) -> None:
        data = response.read()
        self.send_response(response.status)
        for name in PASSED_ON:
            if response.headers[name]:
                self.send_header(name, response.headers[name])
        length = response.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command == "GET" and self.path.partition("?")[0].endswith(".onnx"):
            self.relay.read.append(self.path)
            if self.relay.cuts:
                self.relay.cuts -= 1
                data = data[: len(data) // 2]
                self.close_connection = True
        self.wfile.write(data)


@pytest.fixture
def relay(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    made = Relay(bucket.address)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"relay": made}))
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.address)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@attrs.frozen
class Scaling:
    """A project whose model is on S3, and what runs it."""

    folder: Path
    home: Path

    def run(self) -> tuple[dict[str, Any], list[Any]]:
        """Run a job with two workers; return its summary and its predictions."""
        folder, record, _ = submit(Request(self.folder), JobStore(self.home))
        summary = run(folder, record)
        lines = (JobFolder(folder.root).results / "predictions.jsonl").read_text().splitlines()
        assert read_record(folder).job_id == summary["job_id"]
        return summary, [json.loads(line)["prediction"] for line in lines]


@pytest.fixture
def scaling(tmp_path: Path, bucket: Any) -> Scaling:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "predictor.py").write_text(PREDICTOR)
    predictor = {"type": "onnx", "path": "predictor.py", "model_path": bucket.url("models/scale.onnx")}
    (folder / "cortex.yaml").write_text(json.dumps({"name": "scale", "predictor": predictor}))
    source = {"item_list": {"items": [[float(number)] * 4 for number in range(6)], "batch_size": 1}}
    (folder / "job.json").write_text(json.dumps({"workers": 2, **source}))
    return Scaling(folder, tmp_path / "home")


def model(factor: float) -> bytes:
    return bytes(scaled(factor).SerializeToString())


def times(factor: float) -> list[list[float]]:
    return [[factor * number] * 4 for number in range(6)]


def test_two_jobs_of_two_workers_fetch_a_model_once(bucket: Any, relay: Relay, scaling: Scaling) -> None:
    bucket.put("models/scale.onnx", model(2))
    for _ in range(2):
        summary, predictions = scaling.run()
        assert (summary["status"], predictions) == ("succeeded", times(2))
    assert len(relay.read) == 1
    bucket.put("models/scale.onnx", model(3))
    assert scaling.run()[1] == times(3)
    assert len(relay.read) == 2


def test_a_download_that_is_cut_is_fetched_again(bucket: Any, relay: Relay, scaling: Scaling) -> None:
    bucket.put("models/scale.onnx", model(2))
    relay.cuts = 2
    assert scaling.run()[1] == times(2)
    assert (len(relay.read), relay.cuts) == (3, 0)


def test_a_download_that_is_always_cut_leaves_no_job_and_no_model(bucket: Any, relay: Relay, scaling: Scaling) -> None:
    url = bucket.put("models/scale.onnx", model(2))
    relay.cuts = 99
    with pytest.raises(ProjectError, match=f"predictor: the model's path: {url}: the connection broke"):
        scaling.run()
    assert list((scaling.home / "jobs").iterdir()) == []
    whole = [one for one in (scaling.home / "models").glob("*/*.onnx") if one.parent.suffix != ".partial"]
    assert whole == []
    relay.cuts = 0
    assert scaling.run()[1] == times(2)
