"""Our client against an independent server, pythie-serving, which answers Predict and no other call."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lightserver import reach, strings
from ownserver import PATIENCE, free_port

from insula.errors import UserError
from insula_tensorflow.channel import Channel
from insula_tensorflow.failures import ServingError
from insula_tensorflow.remote import RemoteBackend
from insula_tensorflow.settings import RemoteModel, ServingSettings
from insula_tensorflow.signature import Signature, TensorInfo

# It would listen on every interface.
_SERVE = """
import sys, grpc
from google.protobuf import text_format
from pythie_serving import create_grpc_server
from pythie_serving.tensorflow_proto.tensorflow_serving.config import model_server_config_pb2

made = grpc.server
def local(*arguments, **options):
    server = made(*arguments, **options)
    listen = server.add_insecure_port
    server.add_insecure_port = lambda address: listen(address.replace("[::]", "127.0.0.1"))
    return server
grpc.server = local
config = text_format.Parse(open(sys.argv[1]).read(), model_server_config_pb2.ModelServerConfig())
server = create_grpc_server(
    model_server_config=config, worker_count=2, port=int(sys.argv[2]), maximum_concurrent_rpcs=None
)
server.start()
server.wait_for_termination()
"""
_SIGNATURE = Signature(
    "serving_default",
    {"kind": TensorInfo("kind", np.dtype(object), (None, 1)), "size": TensorInfo("size", np.dtype("int64"), (None, 1))},
    {"predictions": TensorInfo("predictions", np.dtype("int64"), None)},
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of a table: kind and size of a screw, and its price."""
    folder = tmp_path_factory.mktemp("pythie")
    (folder / "price.csv").write_text("kind,size,price\nhex,4,12\nhex,5,15\nlens,4,20\n")
    types = {"kind": "str", "size": "int", "price": "int"}
    (folder / "metadata.json").write_text(
        json.dumps({"feature_names": ["kind", "size"], "target_name": "price", "data_type": types, "default_value": -1})
    )
    config = folder / "models.config"
    entry = f'name: "price", base_path: "{folder}", model_platform: "table"'
    config.write_text(f"model_config_list: {{ config: {{ {entry} }} }}")
    port = free_port()
    command = [os.environ["INSULA_TEST_PYTHIE"], "-c", _SERVE, str(config), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


@pytest.fixture
def backend(address: str, tmp_path: Path) -> Iterator[RemoteBackend]:
    settings = ServingSettings(address=address, models=("price",))
    made = RemoteBackend(Channel(address, False, tmp_path), RemoteModel("price"), settings, {}, "model price")
    yield made
    made.close()


def test_it_predicts(backend: RemoteBackend) -> None:
    kinds = strings(b"lens", b"hex", b"hex", b"nail", shape=(4, 1))
    sizes = np.array([[4], [5], [4], [1]])
    outputs = backend.predict(_SIGNATURE, {"kind": kinds, "size": sizes})
    assert outputs["predictions"].ravel().tolist() == [20, 15, 12, -1]


def test_its_errors_are_told(backend: RemoteBackend) -> None:
    with pytest.raises(
        ServingError, match=r"model price: the server failed \(UNKNOWN\): .*Missing features: \{'kind'\}"
    ):
        backend.predict(_SIGNATURE, {"size": np.array([[4]])})


def test_a_server_that_tells_no_signatures_is_refused_with_a_reason(address: str) -> None:
    with pytest.raises(UserError, match=r"model price at .*UNIMPLEMENTED"):
        reach(address, "price", seconds=PATIENCE)
