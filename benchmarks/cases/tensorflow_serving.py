"""TensorFlow on a server: the client against a call written by hand on the official stubs, in both encodings."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.options import Options
from benchmarks.table import Figure

SHAPE = (32, 224, 224, 3)
WARMUP = 3
STARTUP = 300.0


def save(folder: Path) -> Path:
    """Write a model that answers with what it is given."""
    import tensorflow as tf

    module = tf.Module()
    module.call = tf.function(
        lambda x: {"y": tf.identity(x)},
        input_signature=[tf.TensorSpec([None, *SHAPE[1:]], tf.float32, name="x")],
    )
    tf.saved_model.save(module, str(folder), signatures=module.call)
    return folder


@contextmanager
def server(model: Path, folder: Path, typed: bool) -> Iterator[str]:
    """Run insula's server; yield its address."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port = opened.getsockname()[1]
    file = folder / f"models-{typed}.json"
    file.write_text(json.dumps({"models": [{"name": "m", "path": str(model)}], "typed_values": typed}))
    command = [sys.executable, "-m", "insula_tensorflow.server", "--port", str(port), "--models-file", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def ours(address: str) -> Callable[[Any], Any]:
    from insula.model_names import SINGLE
    from insula_tensorflow.client import TensorFlowClient
    from insula_tensorflow.model import TensorFlowModel
    from insula_tensorflow.remote import connect
    from insula_tensorflow.settings import RemoteModel, ServingSettings
    from insula_tensorflow.signature import choose

    settings = ServingSettings(address=address, models=("m",))
    backend = connect(address, RemoteModel("m"), settings, time.monotonic() + STARTUP, project=Path())
    client = TensorFlowClient([TensorFlowModel(SINGLE, backend, choose(backend.signatures, None, ""))])
    return lambda array: client.predict({"x": array})["y"]


def by_hand(address: str, typed: bool) -> Callable[[Any], Any]:
    import grpc
    import numpy as np
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address, unlimited))

    def predict(array: Any) -> Any:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "m"
        proto = request.inputs["x"]
        proto.dtype = 1
        for size in array.shape:
            proto.tensor_shape.dim.add().size = size
        proto.tensor_content = array.tobytes()
        answer = stub.Predict(request, timeout=STARTUP).outputs["y"]
        shape = [dim.size for dim in answer.tensor_shape.dim]
        if typed:
            return np.array(answer.float_val, dtype=np.float32).reshape(shape)
        return np.frombuffer(answer.tensor_content, np.float32).reshape(shape)

    return predict


def compare(model: Path, folder: Path, typed: bool, rounds: int) -> Figure:
    """Time both in turns on a request and a reply of 19 MB."""
    import numpy as np

    array = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    with server(model, folder, typed) as address:
        mine, theirs = ours(address), by_hand(address, typed)
        for call in (mine, theirs):
            if not np.array_equal(call(array), array):
                raise AssertionError("an answer is wrong")
        for _ in range(WARMUP):
            _timed(theirs, array), _timed(mine, array)
        pairs = [_pair(theirs, mine, array, turn) for turn in range(rounds)]
    hand, insula = (median(times) for times in zip(*pairs, strict=True))
    encoding = "float_val" if typed else "tensor_content"
    note = f"medians of {rounds} pairs: {insula * 1e3:.0f} ms and {hand * 1e3:.0f} ms"
    what = f"tensorflow_client.predict over a call by hand, 19 MB as {encoding}"
    return Figure("tensorflow_serving", what, insula / hand, at_most=1.15, note=note)


def _pair(theirs: Any, mine: Any, array: Any, turn: int) -> tuple[float, float]:
    # Whoever comes second finds the caches as the first one left them.
    if turn % 2:
        return _timed(theirs, array), _timed(mine, array)
    second = _timed(mine, array)
    return _timed(theirs, array), second


def _timed(call: Any, array: Any) -> float:
    begin = time.perf_counter()
    call(array)
    return time.perf_counter() - begin


def run(options: Options) -> list[Figure]:
    model = save(options.work / "model")
    rounds = options.rounds or (3 if options.small else 40)
    return [compare(model, options.work, typed, rounds) for typed in (False, True)]
