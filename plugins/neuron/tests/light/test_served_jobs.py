"""TensorFlow's models on Neuron: a server for each worker, on its cores. The server is a stand-in on the PATH."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Names a service as the real type does, and asks it as its client would.
KIND = """
import os, socket
import attrs
from insula import hookimpl
from insula.descriptors import Predictions, Predictor, PredictorType, Service

@attrs.frozen
class Section:
    tensorflow_serving: dict = attrs.field(factory=dict)

class TensorFlow:
    @hookimpl
    def insula_predictor_type(self):
        return PredictorType("tensorflow", None, settings=Section, hardware=("gpu",))

    @hookimpl
    def insula_services(self, context):
        program = context.api.predictor.settings.tensorflow_serving.get("server")
        files = {"models.config": "model_config_list {}"}
        argv = (program, "--port={port}", "--model_config_file={folder}/models.config")
        return [Service("tensorflow", argv, {"TF_CPP_MIN_LOG_LEVEL": "1"}, files)] if program else []

    @hookimpl
    def insula_create_predictor(self, context):
        return Predictor(context.services.get("tensorflow", "none"))

    @hookimpl
    def insula_predict_batch(self, predictor, payload):
        import time
        time.sleep(0.05)
        if predictor.object == "none":
            return Predictions.each([os.environ["NEURON_RT_VISIBLE_CORES"] for _ in payload])
        host, port = predictor.object.split(":")
        with socket.create_connection((host, int(port)), 60) as connection:
            served = connection.makefile().readline()
        return Predictions.each([[served, os.environ["NEURON_RT_VISIBLE_CORES"]] for _ in payload])

plugin = TensorFlow()
"""
SERVER = """#!{python}
import json, os, socket, sys
folder = os.environ["SEEN"]
port = int(sys.argv[1].partition("=")[2])
config = open(sys.argv[2].partition("=")[2]).read()
cores = os.environ.get("NEURON_RT_VISIBLE_CORES")
seen = {{"argv": sys.argv, "config": config, "cores": cores, "level": os.environ["TF_CPP_MIN_LOG_LEVEL"],
        "dead": os.environ.get("NEURONCORE_GROUP_SIZES")}}
with open(os.path.join(folder, str(os.getpid())), "w") as file:
    json.dump(seen, file)
with socket.create_server(("127.0.0.1", port)) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                connection.sendall(cores.encode())
            except OSError:
                pass
"""


@pytest.fixture
def tensorflow(tmp_path: Path) -> Path:
    """A package with a predictor type `tensorflow`."""
    packages = tmp_path / "packages"
    info = packages / "other_tensorflow-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: other-tensorflow\nVersion: 1.0\nRequires-Dist: insula>=0.1,<1\n"
    )
    (info / "entry_points.txt").write_text("[insula.predictors]\ntensorflow = other_tensorflow:plugin\n")
    (packages / "other_tensorflow.py").write_text(KIND)
    return packages


def describe(serving: dict[str, Any], workers: int, **compute: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    predictor: dict[str, Any] = {"type": "tensorflow"}
    if serving:
        predictor["tensorflow_serving"] = serving
    source = {"item_list": {"items": list(range(200)), "batch_size": 2}}
    return {"predictor": predictor, "compute": compute}, {"workers": workers, **source}


def install(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(SERVER.format(python=sys.executable))
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize("name", ["tensorflow_model_server_neuron", "tensorflow_model_server_neuronx"])
def test_a_server_for_each_worker_on_its_cores(
    project: Callable[..., Any], tensorflow: Path, tmp_path: Path, name: str
) -> None:
    program, seen = install(tmp_path / "bin", name), tmp_path / "seen"
    seen.mkdir()
    path = f"{program.parent}:/usr/bin:/bin"
    made = project(2, tensorflow, PATH=path, SEEN=str(seen), NEURONCORE_GROUP_SIZES="1")
    made.write(*describe({"server": "tensorflow_model_server"}, 2, inf=1))
    made.run()
    found = made.predictions()
    assert len(found) == 200
    assert sorted({tuple(one) for one in found}) == [("0-3", "0-3"), ("4-7", "4-7")]
    servers = sorted((json.loads(file.read_text()) for file in seen.iterdir()), key=lambda one: str(one["cores"]))
    assert [server["cores"] for server in servers] == ["0-3", "4-7"]
    for server in servers:
        assert server["argv"][0] == str(program)
        assert server["argv"][1].startswith("--port=")
        assert server["argv"][2].startswith("--model_config_file=/")
        assert (server["config"], server["level"], server["dead"]) == ("model_config_list {}", "1", None)
    assert len({server["argv"][1] for server in servers}) == 2


@pytest.mark.parametrize(
    "serving, workers, told",
    [
        (
            {"server": "tensorflow_model_server"},
            1,
            "is on the PATH: install it (tensorflow-model-server-neuronx from AWS",
        ),
        ({"server": "python3"}, 1, "only AWS's build of TensorFlow Serving runs models on Neuron"),
        ({}, 1, "set predictor.tensorflow_serving to {server: tensorflow_model_server} and install the server"),
        ({"addresses": ["localhost:1"]}, 2, "2 workers and 1 of predictor.tensorflow_serving.addresses"),
        ({"address": "localhost:1"}, 2, "2 workers and 1 of predictor.tensorflow_serving.addresses"),
    ],
)
def test_where_nobody_would_serve_them(
    project: Callable[..., Any], tensorflow: Path, serving: dict[str, Any], workers: int, told: str
) -> None:
    made = project(1, tensorflow, PATH="/usr/bin:/bin")
    made.write(*describe(serving, workers, neuron_cores=1))
    assert told in made.run(code=2)
    assert told in made.run("check", str(made.folder), code=2)


def test_given_addresses_are_the_types_own_business(project: Callable[..., Any], tensorflow: Path) -> None:
    made = project(1, tensorflow)
    made.write(*describe({"addresses": ["localhost:1", "localhost:2"]}, 2, neuron_cores=1))
    made.run()
    assert set(made.predictions()) == {"0", "1"}
