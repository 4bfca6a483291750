from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from insula import plugins
from insula.descriptors import WorkerContext
from insula_tensorflow.plugin import TensorFlowPlugin
from insula_tensorflow.settings import Section, ServingSettings

FRAMEWORKS = {"numpy", "tensorflow", "tensorflow_serving", "grpc", "google.protobuf"}


def test_it_is_found_by_its_word() -> None:
    reference = plugins.find("insula.predictors", "tensorflow")
    kind = plugins.predictor_type(reference, plugins.load(reference))
    assert (kind.name, kind.class_name, kind.arguments, kind.models) == (
        "tensorflow",
        "TensorFlowPredictor",
        ("tensorflow_client",),
        "optional",
    )
    assert "gpu" in kind.hardware


def _imported(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_describing_it_imports_no_framework() -> None:
    loaded = _imported("import insula_tensorflow.plugin as p; p.plugin.insula_predictor_type()")
    assert "insula_tensorflow.settings" in loaded
    assert not FRAMEWORKS & loaded


def test_naming_a_server_imports_no_framework_either() -> None:
    loaded = _imported("import insula_tensorflow.serving")
    assert not FRAMEWORKS & loaded


def test_the_client_of_a_server_does_without_tensorflow() -> None:
    loaded = _imported("import insula_tensorflow.remote, insula_tensorflow.client, insula_tensorflow.loading")
    assert "grpc" in loaded
    assert not {"tensorflow", "tensorflow_serving"} & loaded


ABSENT = """
import sys
sys.modules["tensorflow"] = None
from pathlib import Path
from insula.descriptors import Assignment, WorkerContext
from insula.spec import ApiSpec, ModelSpec, PredictorSpec
from insula_tensorflow.plugin import plugin
from insula_tensorflow.settings import Section
api = ApiSpec("api", PredictorSpec("tensorflow", "p.py", settings=Section()))
models = (ModelSpec("m", "m"),)
context = WorkerContext(api=api, config={}, job_spec={}, project=Path(), assignment=Assignment(0), models=models)
print(*plugin.insula_preflight(context))
"""


def test_absent_tensorflow_is_told_with_what_to_install() -> None:
    told = subprocess.run([sys.executable, "-c", ABSENT], capture_output=True, text=True, check=True).stdout
    assert told.startswith('TensorFlow is not installed: pip install "insula-tensorflow[embedded]", or name a server')


def test_a_server_that_is_not_there_is_told_in_time(context: Callable[..., WorkerContext]) -> None:
    section = Section(tensorflow_serving=ServingSettings(address="127.0.0.1:9", models=("iris",)))
    (fault,) = TensorFlowPlugin().insula_preflight(context(section=section, startup_timeout=1))
    assert "model iris at 127.0.0.1:9" in fault


def test_a_check_looks_at_models_that_a_server_will_have(context: Callable[..., WorkerContext]) -> None:
    section = Section(tensorflow_serving=ServingSettings(embedded=True))
    (fault,) = TensorFlowPlugin().insula_preflight(context({"iris": "none"}, section))
    assert fault == "model iris (none): there is no such file or folder"
