from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
import tensorflow as tf
from lightserver import reach, run
from ownserver import PATIENCE, OwnServer, free_port
from savedmodels import identity, save, scaled, spec
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from insula.errors import UserError
from insula_tensorflow import messages
from insula_tensorflow.channel import Channel
from insula_tensorflow.datatypes import BY_NUMBER, STRING
from insula_tensorflow.failures import InputRefusedError, ServingError

KINDS = list(BY_NUMBER.values())


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    echoes = {kind.name: (_echo, {"x": spec([None], kind.number)}) for kind in KINDS}
    return {
        "m": scaled(folder / "m" / "7", 2.0),
        "echo": save(folder / "echo", **echoes),
        "slow": save(folder / "slow", count=(_count, {"x": spec([], tf.int32)})),
        "large": identity(folder / "large", tf.float32, (None, 160_000)),
    }


def _echo(x: Any) -> dict[str, Any]:
    return {"y": tf.identity(x)}


def _count(x: Any) -> dict[str, Any]:
    """Count up to `x`, about a microsecond or some each."""
    return {"y": tf.while_loop(lambda i: i < x, lambda i: (i + 1,), (tf.constant(0),), parallel_iterations=1)[0]}


@pytest.fixture(scope="module", params=[False, True], ids=["content", "typed"])
def server(
    models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[OwnServer]:
    folder = tmp_path_factory.mktemp("server")
    with OwnServer(folder, models, typed_values=request.param, intra_op_threads=1) as started:
        yield started


@pytest.fixture(scope="module")
def channel(server: OwnServer) -> Iterator[grpc.Channel]:
    server.reach()
    with grpc.insecure_channel(server.address, (("grpc.max_receive_message_length", -1),)) as opened:
        yield opened


# ------------------------------------------------------------------------------------------------ our client


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_dtype_comes_back_as_it_was(server: OwnServer, kind: Any) -> None:
    backend = server.reach("echo")
    if kind is STRING:
        array: Any = np.array([b"\xff\0a", b"", "é".encode()], dtype=object)
    else:
        array = np.array([0, 1, 1, 0, 1]).astype(kind.held)
    back = backend.predict(backend.signatures[kind.name], {"x": array})["y"]
    backend.close()
    assert back.dtype == kind.held
    assert back.tolist() == array.tolist()


def test_a_reply_of_twenty_megabytes(server: OwnServer) -> None:
    array = np.random.default_rng(0).random((32, 160_000), dtype=np.float32)
    assert np.array_equal(run(server.reach("large"), array), array)


def test_the_version_is_the_number_of_the_folder(server: OwnServer) -> None:
    assert run(server.reach(version=7), np.ones((1, 4), np.float32)).tolist() == [[2.0] * 4]
    with pytest.raises(UserError, match="has no version 8, but 7"):
        server.reach(version=8)


def test_wrong_inputs_are_refused(server: OwnServer) -> None:
    with pytest.raises(InputRefusedError, match=r"input x has shape \[1, 5\] and must have \[\?, 4\]"):
        run(server.reach(), np.ones((1, 5), np.float32))


# ------------------------------------------------------------------------------------------------ the official stubs


def test_the_official_stubs_predict(channel: grpc.Channel, server: OwnServer) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.ones((2, 4), np.float32)))
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
    assert tf.make_ndarray(response.outputs["y"]).tolist() == [[2.0] * 4] * 2
    assert (response.model_spec.name, response.model_spec.version.value) == ("m", 7)
    typed = '"typed_values": true' in (server.log.parent / "models.json").read_text()
    assert bool(response.outputs["y"].float_val) is typed
    assert bool(response.outputs["y"].tensor_content) is not typed


def test_the_official_stubs_read_metadata(channel: grpc.Channel) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "m"
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(request, timeout=60)
    described = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(described)
    info = described.signature_def["serving_default"].inputs["x"]
    assert (info.dtype, [dim.size for dim in info.tensor_shape.dim]) == (tf.float32.as_datatype_enum, [-1, 4])


def test_the_official_stubs_read_status(channel: grpc.Channel) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "m"
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    (status,) = stub.GetModelStatus(request, timeout=60).model_version_status
    assert (status.version, status.state) == (7, get_model_status_pb2.ModelVersionStatus.AVAILABLE)


def test_other_calls_of_the_api_are_unimplemented(channel: grpc.Channel) -> None:
    from tensorflow_serving.apis import classification_pb2

    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    with pytest.raises(grpc.RpcError) as raised:
        stub.Classify(classification_pb2.ClassificationRequest(), timeout=60)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


# ------------------------------------------------------------------------------------------------ its life


def test_it_is_on_this_machine_only(server: OwnServer, channel: grpc.Channel) -> None:
    port = f":{server.port:04X}"
    tables = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()]
    listening = [row[1] for row in tables if row[1].endswith(port) and row[3] == "0A"]
    # As gRPC opens it: 127.0.0.1 within IPv6, or as such.
    assert [address[-13:] for address in listening] == [f"0100007F{port}"]


def test_the_port_opens_before_the_models_are_loaded_and_tells_so(models: dict[str, Path], tmp_path: Path) -> None:
    with OwnServer(tmp_path, {"m": models["m"]}) as server:
        deadline = time.monotonic() + PATIENCE
        while server.process and server.process.poll() is None and not _accepts(server.port):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        request = messages.GetModelStatusRequest()
        request.model_spec.name = "m"
        (status,) = Channel(server.address, False, tmp_path).calls.get_status(request, timeout=60).model_version_status
        assert status.state in (messages.START, messages.LOADING)
        server.reach()
        assert server.end() == 0
    told = server.log.read_text()
    assert "model m" in told
    assert "Traceback" not in told


def _accepts(port: int) -> bool:
    with socket.socket() as opened:
        return opened.connect_ex(("127.0.0.1", port)) == 0


def test_sigterm_while_it_loads_ends_it(models: dict[str, Path], tmp_path: Path) -> None:
    with OwnServer(tmp_path, {"m": models["m"]}) as server:
        deadline = time.monotonic() + PATIENCE
        while not _accepts(server.port):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.end() == 0


def test_a_model_that_cannot_be_loaded_is_told_to_whoever_asks(models: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"nothing")
    with OwnServer(tmp_path / "server", {"m": models["m"], "broken": broken}) as server:
        with pytest.raises(
            UserError, match="model broken at .*: the server could not load it: saved_model.pb is cut off"
        ):
            server.reach("broken")
        assert run(server.reach(), np.ones((1, 4), np.float32)).tolist() == [[2.0] * 4]


def test_a_port_that_is_taken(models: dict[str, Path], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = OwnServer(tmp_path, {"m": models["m"]})
        server.port = taken.getsockname()[1]
        with server:
            assert server.process is not None
            assert server.process.wait(PATIENCE) == 1
    assert f"port {server.port} of 127.0.0.1 cannot be listened on" in server.log.read_text()


def test_killed_in_a_prediction_it_comes_back_for_all_who_wait(models: dict[str, Path], tmp_path: Path) -> None:
    count = 200_000
    with OwnServer(tmp_path, {"slow": models["slow"]}) as server:
        backends = [server.reach("slow") for _ in range(2)]
        start = time.monotonic()
        assert run(backends[0], np.array(count, np.int32)) == count
        took = time.monotonic() - start
        answers: list[Any] = []
        # Long enough to be killed in, and started while the other one is as well.
        longer = np.array(int(count * max(1.0, 3.0 / took)), np.int32)
        threads = [threading.Thread(target=lambda one=one: answers.append(run(one, longer))) for one in backends]
        for thread in threads:
            thread.start()
        _until_it_computes(server, 0.3)
        assert not answers
        assert server.end(9) == -9  # type: ignore[arg-type]
        server.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert [int(answer) for answer in answers] == [int(longer)] * 2


def _until_it_computes(server: OwnServer, seconds: float) -> None:
    """Wait until a server has used so much of a processor from now on."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    enough = process.cpu_times().user + seconds
    deadline = time.monotonic() + PATIENCE
    while process.cpu_times().user < enough:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ------------------------------------------------------------------------------------------------ joined requests


@pytest.mark.parametrize("batching", [None, {"max_batch_size": 8, "batch_interval": 0.1}], ids=["off", "on"])
def test_four_clients_with_and_without_batching(models: dict[str, Path], tmp_path: Path, batching: Any) -> None:
    turns = 10
    with OwnServer(tmp_path, {"m": models["m"]}, batching=batching) as server:
        wrong: list[Any] = []

        def ask(client: int) -> None:
            backend = server.reach()
            for turn in range(turns):
                rows = np.full((2, 4), client * 100 + turn, np.float32)
                answer = run(backend, rows)
                if not np.array_equal(answer, rows * 2):
                    wrong.append((client, turn, answer))

        threads = [threading.Thread(target=ask, args=(client,)) for client in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert not wrong
        assert server.end() == 0
    told = server.log.read_text()
    if batching is None:
        assert "requests in" not in told
    else:
        requests, runs = _joined(told)
        assert requests == 4 * turns
        assert requests / runs > 1


def _joined(log: str) -> tuple[int, int]:
    (line,) = [line for line in log.splitlines() if "requests in" in line]
    words = line.partition("model m: ")[2].split()
    return int(words[0]), int(words[3])


def test_a_bad_request_spoils_no_other(tmp_path: Path) -> None:
    def checked(x: Any) -> dict[str, Any]:
        with tf.control_dependencies([tf.debugging.assert_non_negative(x, message="negative")]):
            return {"y": tf.identity(x)}

    model = save(tmp_path / "m", serving_default=(checked, {"x": spec([None, 2])}))
    batching = {"max_batch_size": 3, "batch_interval": 30.0}
    with OwnServer(tmp_path / "server", {"m": model}, batching=batching) as server:
        server.reach()
        answers: dict[int, Any] = {}

        def ask(number: int) -> None:
            try:
                answers[number] = run(server.reach(), np.full((1, 2), number, np.float32)).tolist()
            except ServingError as error:
                answers[number] = error

        threads = [threading.Thread(target=ask, args=(number,)) for number in (-1, 1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert (answers[1], answers[2]) == ([[1.0, 1.0]], [[2.0, 2.0]])
        assert isinstance(answers[-1], InputRefusedError)
        assert "negative" in str(answers[-1])


def test_the_command_serves_and_ends(models: dict[str, Path], tmp_path: Path) -> None:
    port = free_port()
    words = ["tensorflow", "serve", str(models["m"].parent), "--port", str(port), "--name", "mine"]
    joined = ["--max-batch-size", "4", "--batch-interval", "1ms", "--typed-values", "--intra-op-threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "insula", *words, *joined], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        backend = reach(f"127.0.0.1:{port}", "mine", seconds=PATIENCE, version=7)
        assert run(backend, np.ones((1, 4), np.float32)).tolist() == [[2.0] * 4]
    finally:
        process.terminate()
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert f"Serving mine at 127.0.0.1:{port}." in told


def test_the_command_tells_of_a_module_that_is_not_there(models: dict[str, Path]) -> None:
    words = ["tensorflow", "serve", str(models["m"]), "--port", "0", "--import", "no_such_operations"]
    done = subprocess.run([sys.executable, "-m", "insula", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "model m (" in done.stderr
    assert "no_such_operations cannot be imported" in done.stderr
