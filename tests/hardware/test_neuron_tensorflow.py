"""Models of the real type `tensorflow` with `compute.inf`: AWS's server is a stand-in that speaks the real gRPC."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lightserver import Echo, LightServer

PACKAGE = Path(__file__).parents[2] / "plugins" / "neuron" / "src" / "insula_neuron"
LIB = Path(__file__).parents[2] / "plugins" / "tensorflow" / "tests" / "lib"
STATED = {"INSULA_NEURON_CHIPS": "2", "INSULA_NEURON_CORES_PER_CHIP": "4"}
VARIABLES = (
    "NEURON_RT_VISIBLE_CORES", "NEURON_RT_NUM_CORES", "NEURONCORE_GROUP_SIZES", "NEURON_RTD_ADDRESS",
    "TF_CPP_MIN_LOG_LEVEL",
)  # fmt: skip
# Serves the models of its config, each of which multiplies by 100 and adds its first core; writes down how it was started.
SERVER = f"""#!{sys.executable}
import json, os, re, sys
sys.path.insert(0, {str(LIB)!r})
from lightserver import Echo, LightServer

words = dict(word.split("=", 1) for word in sys.argv[1:])
config = open(words["--model_config_file"]).read()
seen = {{name: os.environ.get(name) for name in {VARIABLES!r}}}
with open(os.path.join(os.environ["SEEN"], str(os.getpid())), "w") as file:
    json.dump({{"argv": sys.argv, "config": config, "environment": seen}}, file)
core = int(seen["NEURON_RT_VISIBLE_CORES"].partition("-")[0])
model = Echo(shape=(None, 1), function=lambda inputs: {{"y": inputs["x"] * 100 + core}})
server = LightServer(int(words["--port"]), **{{name: model for name in re.findall('name: "(.*)"', config)}})
server.ended.wait()
"""
# Slow enough for every worker to be wanted.
PREDICTOR = """
import os, sys, time

class TensorFlowPredictor:
    def __init__(self, tensorflow_client):
        self.client = tensorflow_client

    def predict(self, payload):
        time.sleep(0.05)
        answers = self.client.predict({"x": [[row] for row in payload]})["y"]
        own = [os.environ["NEURON_RT_VISIBLE_CORES"], "tensorflow" in sys.modules]
        return [[float(answer), *own] for answer in answers[:, 0]]
"""


@pytest.fixture
def neuron(bench: Any) -> Any:
    """A project of the type `tensorflow`, and `insula-neuron` beside it."""
    keys = ("inf", "neuron_cores", "neuron")
    lines = "".join(f"{key} = insula_neuron.plugin:plugin\n" for key in keys)
    bench.offer("insula-neuron", f"[insula.hardware]\n{lines}", PACKAGE)
    return bench


def write(bench: Any, serving: dict[str, Any] | None, compute: dict[str, int], workers: int, **more: Any) -> Path:
    model = bench.root / "models" / "iris" / "7"
    model.mkdir(parents=True, exist_ok=True)
    (model / "saved_model.pb").write_bytes(b"compiled for Neuron")
    bench.write(compute, code=PREDICTOR, workers=workers)
    predictor = {"type": "tensorflow", "path": "predictor.py", "models": [{"name": "iris", "path": str(model.parent)}]}
    predictor |= more
    if serving is not None:
        predictor["tensorflow_serving"] = serving
    entry = [{"name": "api", "predictor": predictor, "compute": compute}]
    (bench.project / "cortex.yaml").write_text(json.dumps(entry))
    return model.parent


def install(bench: Any, name: str) -> Path:
    folder, seen = bench.root / "bin", bench.root / "seen"
    for one in (folder, seen):
        one.mkdir(exist_ok=True)
    (folder / name).write_text(SERVER)
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize("name", ["tensorflow_model_server_neuron", "tensorflow_model_server_neuronx"])
def test_each_worker_has_a_server_on_its_own_cores(neuron: Any, name: str) -> None:
    model = write(neuron, {"server": "tensorflow_model_server"}, {"inf": 1}, 2, tensorflow={"intra_op_threads": 3})
    program = install(neuron, name)
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    dead = {"NEURONCORE_GROUP_SIZES": "1", "NEURON_RT_NUM_CORES": "1", "NEURON_RTD_ADDRESS": "unix:/run/neuron.sock"}
    neuron.run(PATH=path, SEEN=str(neuron.root / "seen"), **STATED, **dead)

    first_cores = {"0-3": 0, "4-7": 4}
    found = neuron.predictions()
    assert {cores for _, cores, _ in found} == set(first_cores)
    assert [answer for answer, _, _ in found] == [
        100 * row + first_cores[cores] for row, (_, cores, _) in enumerate(found)
    ], "each worker asks the server of its own cores"
    assert {imported for *_, imported in found} == {False}

    servers = [json.loads(file.read_text()) for file in (neuron.root / "seen").iterdir()]
    assert sorted(one["environment"].pop("NEURON_RT_VISIBLE_CORES") for one in servers) == ["0-3", "4-7"]
    for one in servers:
        assert one["environment"] == dict.fromkeys(VARIABLES[1:])
        own, port, config, threads = one["argv"]
        assert own == str(program)
        assert re.fullmatch(r"--port=\d+", port)
        assert re.fullmatch(r"--model_config_file=/.*/models\.config", config)
        assert threads == "--tensorflow_intra_op_parallelism=3"
        assert (
            one["config"].split()
            == (
                f'model_config_list {{ config {{ name: "iris" base_path: "{model}" model_platform: "tensorflow" '
                "model_version_policy { specific { versions: 7 } } } }"
            ).split()
        )
    assert len({one["argv"][1] for one in servers}) == 2


@pytest.fixture
def addresses() -> Iterator[list[str]]:
    """Two servers that run elsewhere; the second adds 1000 to what the first answers."""
    servers = [LightServer(iris=Echo(shape=(None, 1), function=_adding(more))) for more in (0, 1000)]
    yield [server.address for server in servers]
    for server in servers:
        server.stop()


def _adding(more: int) -> Any:
    return lambda inputs: {"y": inputs["x"] + more}


def test_given_addresses_are_one_a_worker(neuron: Any, addresses: list[str]) -> None:
    serving = {"addresses": addresses, "models": ["iris"]}
    write(neuron, serving, {"neuron_cores": 1}, 2, models=None)
    neuron.run(**STATED)
    found = [(cores, answer - row) for row, (answer, cores, _) in enumerate(neuron.predictions())]
    assert set(found) == {("0", 0), ("1", 1000)}
    write(neuron, serving, {"neuron_cores": 1}, 3, models=None)
    assert "3 workers and 2 of predictor.tensorflow_serving.addresses: give one a worker" in neuron.run(
        code=2, **STATED
    )


@pytest.mark.parametrize(
    "serving, told",
    [
        (
            {"server": "tensorflow_model_server"},
            "neither tensorflow_model_server_neuron nor tensorflow_model_server_neuronx is on the PATH: install it "
            "(tensorflow-model-server-neuronx from AWS's package repository",
        ),
        (
            None,
            "set predictor.tensorflow_serving to {server: tensorflow_model_server} and install the server "
            "(tensorflow-model-server-neuronx from AWS's package repository",
        ),
        ({"embedded": True}, "server: tensorflow_model_server, or with addresses of servers that do"),
    ],
)
def test_neither_a_server_nor_addresses(neuron: Any, serving: dict[str, Any] | None, told: str) -> None:
    write(neuron, serving, {"neuron_cores": 1}, 1)
    for words in ((), ("check", str(neuron.project))):
        said = neuron.run(*words, code=2, **STATED)
        assert told in said
        assert "Traceback" not in said
    assert list((neuron.root / "home" / "jobs").iterdir()) == []
