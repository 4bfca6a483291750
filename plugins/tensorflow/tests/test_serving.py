from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from insula.descriptors import ServicesContext
from insula.errors import UserError
from insula_tensorflow.plugin import TensorFlowPlugin
from insula_tensorflow.settings import BatchingSettings, Section, ServingSettings, TensorFlowSettings

Make = Callable[..., ServicesContext]
OWN = ServingSettings(embedded=True)


def test_there_is_no_server_where_none_is_needed(services_context: Make) -> None:
    host = Section(tensorflow_serving=ServingSettings(address="h:1", models=("m",)))
    assert TensorFlowPlugin().insula_services(services_context({"m": "none"}), []) == []
    assert TensorFlowPlugin().insula_services(services_context(section=host), []) == []


def test_the_server_of_a_job_is_told_models_batching_and_threads(
    services_context: Make, folder: Callable[..., Path]
) -> None:
    path = folder("models/iris/3")
    section = Section(
        tensorflow=TensorFlowSettings(inter_op_threads=1, imports=("tensorflow_text",)),
        tensorflow_serving=OWN,
        server_side_batching=BatchingSettings(8, "50ms"),
    )
    (service,) = TensorFlowPlugin().insula_services(services_context({"iris": "models/iris"}, section), [])
    assert (service.name, service.assignment) == ("tensorflow", None)
    command = [sys.executable, "-m", "insula_tensorflow.server", "--port", "{port}"]
    assert list(service.argv) == [*command, "--models-file", "{folder}/models.json"]
    assert json.loads(service.files["models.json"]) == {
        "models": [{"name": "iris", "path": str(path)}],
        "batching": {"max_batch_size": 8, "batch_interval": 0.05},
        "intra_op_threads": 3,
        "inter_op_threads": 1,
        "gpu": False,
        "imports": ["tensorflow_text"],
        "python_path": [str(path.parents[2])],
    }


def test_what_is_wrong_is_told_before_anything_starts(services_context: Make) -> None:
    section = Section(tensorflow_serving=OWN)
    with pytest.raises(UserError, match="needs a model_path"):
        TensorFlowPlugin().insula_services(services_context(section=section), [])
    with pytest.raises(UserError, match=r"^model a \(none\): there is no such file or folder\nmodel b \(nil\): there"):
        TensorFlowPlugin().insula_services(services_context({"a": "none", "b": "nil"}, section), [])
