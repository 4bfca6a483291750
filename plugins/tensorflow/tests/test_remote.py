from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from lightserver import Echo, LightServer, reach, run, serving, strings

from insula.errors import UserError
from insula.model_names import SINGLE
from insula_tensorflow import messages, remote
from insula_tensorflow.datatypes import BFLOAT16
from insula_tensorflow.failures import (
    InputRefusedError,
    ModelNotServedError,
    ServerExhaustedError,
    ServerTimeoutError,
    ServerUnreachableError,
    ServingError,
)
from insula_tensorflow.settings import TlsSettings
from insula_tensorflow.signature import Signature, TensorInfo

ROW = np.arange(4, dtype=np.float32)


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_FIRST_DELAY", 0.02)


# ------------------------------------------------------------------------------------------------ predicting


@pytest.mark.parametrize("typed", [False, True])
def test_arrays_go_there_and_back(typed: bool) -> None:
    with serving(m=Echo(), typed=typed) as server:
        backend = reach(server.address)
        back = run(backend, ROW.reshape(2, 2))
        backend.close()
    assert back.dtype == np.float32
    assert back.tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("typed", [False, True])
def test_a_reply_of_twenty_megabytes(typed: bool) -> None:
    array = np.random.default_rng(0).random((32, 160_000), dtype=np.float32)
    with serving(m=Echo(), typed=typed) as server:
        assert np.array_equal(run(reach(server.address), array), array)


def test_signatures_are_those_of_the_server() -> None:
    model = Echo("int64", (None, 3))
    model.signatures["any"] = Signature("any", {"s": TensorInfo("s", np.dtype(object), None)}, {}, "predict")
    with serving(m=model) as server:
        found = reach(server.address).signatures
    assert found == model.signatures


def test_an_input_is_sent_in_the_type_that_the_server_names() -> None:
    model = Echo("float32")
    with serving(m=model) as server:
        backend = reach(server.address)
        backend._served["serving_default"].kinds["x"] = BFLOAT16  # type: ignore[index]
        assert run(backend, np.array([1.01171875], np.float32)).tolist() == [1.015625]


def test_strings_go_as_bytes() -> None:
    with serving(m=Echo("O")) as server:
        assert run(reach(server.address), strings(b"\xff", b"")).tolist() == [b"\xff", b""]


def test_a_version_is_asked_for_by_number() -> None:
    with serving(m=Echo()) as server:
        assert run(reach(server.address, version=1), ROW).tolist() == ROW.tolist()
        with pytest.raises(UserError, match=r"model m at .*: the server does not have it: .*no version 2, but 1"):
            reach(server.address, version=2)


def test_several_threads_share_a_connection() -> None:
    with serving(m=Echo()) as server:
        backend = reach(server.address)
        found: dict[int, list[float]] = {}

        def ask(number: int) -> None:
            found[number] = run(backend, np.full(3, number, np.float32)).tolist()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert found == {number: [number] * 3 for number in range(8)}


# ------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    "code, kind, told",
    [
        ("NOT_FOUND", ModelNotServedError, "the server does not have it: because"),
        ("INVALID_ARGUMENT", InputRefusedError, "the server refuses the inputs: because"),
        ("RESOURCE_EXHAUSTED", ServerExhaustedError, "the server has no room for the request: because"),
        (
            "DEADLINE_EXCEEDED",
            ServerTimeoutError,
            r"the server did not answer in time \(tensorflow_serving.timeout\): because",
        ),
        ("INTERNAL", ServingError, r"the server failed \(INTERNAL\): because"),
    ],
)
def test_an_answer_that_is_an_error_is_told_at_once(code: str, kind: type[Exception], told: str) -> None:
    model = Echo()
    with serving(m=model) as server:
        backend = reach(server.address)
        server.refuse(grpc.StatusCode[code], "because", times=1)
        with pytest.raises(kind, match=f"^model m at {server.address}: {told}$"):
            run(backend, ROW)
        assert run(backend, ROW).tolist() == ROW.tolist()
    assert len(model.calls) == 1


def test_a_message_over_the_limit_of_a_server_says_what_to_do() -> None:
    with serving(m=Echo()) as server:
        backend = reach(server.address)
        told = "Received message larger than max (5242880 vs. 4194304)"
        server.refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, told)
        with pytest.raises(ServerExhaustedError, match=r"make batches smaller, or raise its limit: Received message"):
            run(backend, ROW)


def test_an_answer_that_never_comes_ends_with_the_timeout() -> None:
    over = threading.Event()
    model = Echo(function=lambda inputs: {"y": inputs["x"]} if over.wait(60) else {})
    with serving(m=model) as server:
        backend = reach(server.address, timeout=0.5)
        with pytest.raises(ServerTimeoutError, match="the server did not answer in time"):
            run(backend, ROW)
        over.set()


# ------------------------------------------------------------------------------------------------ a server that goes away


def test_a_busy_server_is_asked_again() -> None:
    with serving(m=Echo()) as server:
        backend = reach(server.address, retries=3)
        server.refuse(grpc.StatusCode.UNAVAILABLE, "the queue is full", times=3)
        assert run(backend, ROW).tolist() == ROW.tolist()


@pytest.mark.parametrize("retries", [0, 2])
def test_a_server_that_stays_busy_is_given_up(retries: int) -> None:
    with serving(m=Echo()) as server:
        backend = reach(server.address, retries=retries)
        server.refuse(grpc.StatusCode.UNAVAILABLE, "the queue is full", times=retries + 1)
        with pytest.raises(ServerUnreachableError, match="the queue is full"):
            run(backend, ROW)
        assert not server.before


def test_a_server_that_ends_in_a_call_and_comes_back_is_ridden_out() -> None:
    first = LightServer(m=Echo(function=lambda inputs: _stop(first)))
    backend = reach(first.address)
    back: list[Any] = []
    asking = threading.Thread(target=lambda: back.append(run(backend, ROW)))
    asking.start()
    first.ended.wait(60)
    second = LightServer(port=first.port, m=Echo())
    asking.join(60)
    second.stop()
    assert back[0].tolist() == ROW.tolist()


def _stop(server: LightServer) -> dict[str, Any]:
    server.stop()
    return {"y": ROW + 1}


def test_it_waits_while_a_server_that_came_back_loads_its_model() -> None:
    with serving(m=Echo()) as server:
        backend = reach(server.address, retries=1)
        model = server.host.models["m"]
        loaded, model.backend, model.state = model.backend, None, messages.LOADING

        def ready() -> None:
            model.backend, model.state = loaded, messages.AVAILABLE

        timer = threading.Timer(0.5, ready)
        timer.start()
        assert run(backend, ROW).tolist() == ROW.tolist()
        timer.join()


def test_a_server_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PATIENCE", 0.5)
    with serving(m=Echo()) as server:
        backend = reach(server.address)
    with pytest.raises(ServerUnreachableError, match=f"^model m at {server.address}: the server cannot be reached"):
        run(backend, ROW)


def test_a_call_that_ends_the_server_each_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kills a server is not sent to it for as often as a server that is merely away is waited for."""
    with serving(m=Echo()) as server:
        backend = reach(server.address, retries=100)
        sent: list[object] = []

        class Lost(grpc.RpcError):
            def code(self) -> grpc.StatusCode:
                return grpc.StatusCode.UNAVAILABLE

            def details(self) -> str:
                return "Socket closed"

        def lost(request: object, timeout: float) -> None:
            sent.append(request)
            raise Lost

        calls = backend._channel.calls
        monkeypatch.setattr(type(backend._channel), "calls", Calls(lost, calls.get_status))
        with pytest.raises(ServerUnreachableError, match="Socket closed"):
            run(backend, ROW)
    assert len(sent) == 3


class Calls:
    """Stands in for the calls of a channel."""

    def __init__(self, predict: Any, get_status: Any) -> None:
        self.predict = predict
        self.get_status = get_status


# ------------------------------------------------------------------------------------------------ connecting


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def test_it_waits_for_a_server_that_is_not_there_yet() -> None:
    port = _free_port()
    later: list[LightServer] = []
    timer = threading.Timer(0.5, lambda: later.append(LightServer(port=port, m=Echo())))
    timer.start()
    backend = reach(f"127.0.0.1:{port}")
    assert run(backend, ROW).tolist() == ROW.tolist()
    later[0].stop()


@pytest.mark.parametrize(
    "state, told", [(10, "is about to be loaded"), (20, "is being loaded"), (40, "is being unloaded")]
)
def test_it_waits_for_a_model_until_the_deadline(state: int, told: str) -> None:
    with serving(m=Echo()) as server:
        server.host.models["m"].state = state
        start = time.monotonic()
        with pytest.raises(UserError, match=f"^model m at .*: it {told}; it was waited for until startup_timeout$"):
            reach(server.address, seconds=0.5)
        assert time.monotonic() - start >= 0.5


@pytest.mark.parametrize("name, called", [("m", "model m"), (SINGLE, "the model")])
def test_nobody_at_the_address(name: str, called: str) -> None:
    with pytest.raises(UserError, match=f"^{called} at 127.0.0.1:.*: the server cannot be reached: .*startup_timeout"):
        reach(f"127.0.0.1:{_free_port()}", name, seconds=0.5)


def test_a_server_that_was_never_asked_is_not_called_unreachable() -> None:
    with serving(m=Echo()) as server, pytest.raises(UserError, match="no time was left to ask the server"):
        reach(server.address, seconds=-1)


def test_a_model_that_the_server_could_not_load_is_told_at_once() -> None:
    with serving(m=Echo()) as server:
        server.host.fail("it is broken")
        with pytest.raises(UserError, match="the server could not load it: it is broken"):
            reach(server.address, seconds=600)


def test_a_model_that_the_server_does_not_have_is_told_at_once() -> None:
    with (
        serving(m=Echo()) as server,
        pytest.raises(UserError, match="does not have it: there is no model 'n'; there are m"),
    ):
        reach(server.address, name="n", seconds=600)


def test_a_server_without_status_is_taken_to_be_ready() -> None:
    with serving(m=Echo()) as server:
        server.without = {messages.GET_STATUS}
        assert run(reach(server.address), ROW).tolist() == ROW.tolist()


def test_a_server_without_metadata_is_refused() -> None:
    with serving(m=Echo()) as server:
        server.without = {messages.GET_METADATA}
        with pytest.raises(UserError, match="UNIMPLEMENTED"):
            reach(server.address)


@pytest.mark.parametrize("variable", ["http_proxy", "grpc_proxy"])
def test_this_machine_is_not_reached_through_a_proxy(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{_free_port()}")
    with serving(m=Echo()) as server:
        assert run(reach(server.address), ROW).tolist() == ROW.tolist()


def test_a_forked_child_makes_its_own_connection() -> None:
    with serving(m=Echo()) as server:
        backend = reach(server.address)
        run(backend, ROW)
        opened = backend._channel._open
        backend._channel._open = (os.getpid() - 1, *opened[1:])  # type: ignore[index]  # as a child finds it
        assert run(backend, ROW).tolist() == ROW.tolist()
        assert backend._channel._open[1] is not opened[1]  # type: ignore[index]


# ------------------------------------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, and a certificate that is its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    made = [
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run(["openssl", "req", "-x509", *made, "-addext", names], cwd=folder, check=True, capture_output=True)
    return folder


def test_over_tls(tls: Path) -> None:
    credentials = grpc.ssl_server_credentials([((tls / "key.pem").read_bytes(), (tls / "cert.pem").read_bytes())])
    server = LightServer(credentials=credentials, m=Echo())
    try:
        backend = reach(server.address, project=tls, tls=TlsSettings(ca="cert.pem"))
        assert run(backend, ROW).tolist() == ROW.tolist()
        backend = reach(server.address, project=tls, tls=TlsSettings(ca="cert.pem", server_name="localhost"))
        assert run(backend, ROW).tolist() == ROW.tolist()
        with pytest.raises(UserError, match=r"the server cannot be reached: .*(?i:certificate|handshake|ssl)"):
            reach(server.address, project=tls, tls=True, seconds=1)
    finally:
        server.stop()


def test_a_tls_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tensorflow_serving.tls.ca \(no.pem\) cannot be read: No such file"):
        reach("127.0.0.1:1", project=tmp_path, tls=TlsSettings(ca="no.pem"))
