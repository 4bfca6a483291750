from __future__ import annotations

import os
from pathlib import Path

import pytest

from insula.descriptors import Assignment, Service
from insula.errors import UserError
from insula_neuron.serving import adapt

USUAL = Service("tensorflow", ("tensorflow_model_server", "--port={port}"), {"TF_CPP_MIN_LOG_LEVEL": "1"})
SECOND = Assignment(1, environment={"NEURON_RT_VISIBLE_CORES": "4-7"}, devices=("neuron:4",))


def path(folder: Path, *names: str) -> dict[str, str]:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"/nowhere{os.pathsep}{folder}"}


def test_one_for_all_becomes_one_for_each(tmp_path: Path) -> None:
    adapted = adapt(USUAL, None, path(tmp_path))
    assert adapted is not None
    assert adapted.assignment is not None


@pytest.mark.parametrize("name", ["tensorflow_model_server_neuron", "tensorflow_model_server_neuronx"])
def test_awss_server_runs_on_the_cores_of_the_worker(tmp_path: Path, name: str) -> None:
    adapted = adapt(USUAL, SECOND, path(tmp_path, name))
    assert adapted == Service(
        "tensorflow",
        (str(tmp_path / name), "--port={port}"),
        {"TF_CPP_MIN_LOG_LEVEL": "1", "NEURON_RT_VISIBLE_CORES": "4-7"},
        assignment=1,
    )


@pytest.mark.parametrize(
    "cores, name", [("4", "tensorflow_model_server_neuron"), ("2", "tensorflow_model_server_neuronx")]
)
def test_with_both_the_chip_decides(tmp_path: Path, cores: str, name: str) -> None:
    both = path(tmp_path, "tensorflow_model_server_neuron", "tensorflow_model_server_neuronx")
    adapted = adapt(USUAL, SECOND, {**both, "INSULA_NEURON_CORES_PER_CHIP": cores})
    assert adapted is not None
    assert adapted.argv[0] == str(tmp_path / name)


def test_neither_is_installed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is on the PATH: install it \\(tensorflow-model-server-neuronx from AWS"):
        adapt(USUAL, SECOND, path(tmp_path))


def test_a_server_that_is_not_awss_is_refused(tmp_path: Path) -> None:
    own = Service("tensorflow", ("/usr/bin/python3", "-m", "server"))
    with pytest.raises(UserError, match="only AWS's build of TensorFlow Serving runs models on Neuron"):
        adapt(own, None, path(tmp_path))


def test_services_of_others_are_left_alone(tmp_path: Path) -> None:
    assert adapt(Service("redis", ("redis-server",)), SECOND, path(tmp_path)) is None
