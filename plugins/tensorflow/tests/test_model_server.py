from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from insula.descriptors import ServicesContext
from insula.spec import ApiSpec, ComputeSpec, PredictorSpec
from insula_tensorflow.directories import ServedModel
from insula_tensorflow.model_server import service
from insula_tensorflow.settings import BatchingSettings, Section, ServingSettings, TensorFlowSettings

# Stands in for the server: writes down what it was started with, and what the files say.
FAKE = """#!{python}
import json, pathlib, sys
files = {{word.split("=", 1)[0]: pathlib.Path(word.split("=", 1)[1]).read_text() for word in sys.argv[1:] if "_file=" in word}}
pathlib.Path({told!r}).write_text(json.dumps({{"argv": sys.argv[1:], "files": files}}))
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSULA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def context(project: Path, **settings: object) -> ServicesContext:
    section = Section(tensorflow_serving=ServingSettings(server="tensorflow_model_server"), **settings)  # type: ignore[arg-type]
    predictor = PredictorSpec("tensorflow", "predictor.py", settings=section)
    return ServicesContext(ApiSpec("api", predictor, ComputeSpec()), {}, project, workers=2, cores=4)


def started(made: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Start a service as the core does, with a program of ours on the PATH; return what it was told."""
    told, folder, programs = tmp_path / "told.json", tmp_path / "folder", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    program = programs / "tensorflow_model_server"
    program.write_text(FAKE.format(python=sys.executable, told=str(told)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    for name, text in made.files.items():  # type: ignore[attr-defined]
        (folder / name).write_text(text)
    words = [word.replace("{port}", "8500").replace("{folder}", str(folder)) for word in made.argv]  # type: ignore[attr-defined]
    subprocess.run(words, check=True, timeout=60)
    found: dict[str, object] = json.loads(told.read_text())
    return found


def test_the_command_line_and_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = context(
        tmp_path,
        tensorflow=TensorFlowSettings(intra_op_threads=3, inter_op_threads=2),
        server_side_batching=BatchingSettings(32, "100ms"),
    )
    model = tmp_path / "models" / "iris" / "17"
    model.mkdir(parents=True)
    made = service(settings, [ServedModel("iris", model, 17)])
    assert (made.name, made.assignment) == ("tensorflow", None)
    told = started(made, tmp_path, monkeypatch)
    folder = tmp_path / "folder"
    assert told["argv"] == [
        "--port=8500",
        f"--model_config_file={folder}/models.config",
        "--tensorflow_intra_op_parallelism=3",
        "--tensorflow_inter_op_parallelism=2",
        "--enable_batching=true",
        f"--batching_parameters_file={folder}/batching.config",
    ]
    assert told["files"] == {
        "--model_config_file": (
            "model_config_list {\n"
            "  config {\n"
            '    name: "iris"\n'
            f'    base_path: "{tmp_path}/models/iris"\n'
            '    model_platform: "tensorflow"\n'
            "    model_version_policy { specific { versions: 17 } }\n"
            "  }\n"
            "}\n"
        ),
        "--batching_parameters_file": (
            "max_batch_size { value: 32 }\n"
            "batch_timeout_micros { value: 100000 }\n"
            "num_batch_threads { value: 4 }\n"
            "max_enqueued_batches { value: 100000 }\n"
        ),
    }


def test_nothing_is_said_that_was_not_asked_for(tmp_path: Path) -> None:
    made = service(context(tmp_path), [ServedModel("m", tmp_path)])
    assert made.argv == (
        "tensorflow_model_server",
        "--port={port}",
        "--model_config_file={folder}/models.config",
    )
    assert list(made.files) == ["models.config"]


def test_a_model_without_a_number_gets_a_link_that_has_one(tmp_path: Path, home: Path) -> None:
    model = tmp_path / "iris"
    model.mkdir()
    for _ in range(2):  # the second job finds the link
        text = service(context(tmp_path), [ServedModel("iris", model)]).files["models.config"]
    base = Path(text.partition('base_path: "')[2].partition('"')[0])
    assert base.parent == home / "models" / "numbered"
    assert "versions: 1 " in text
    assert (base / "1").resolve() == model


def test_names_and_paths_are_quoted(tmp_path: Path) -> None:
    model = tmp_path / 'a "b"\\é' / "1"
    model.mkdir(parents=True)
    text = service(context(tmp_path), [ServedModel('x"y\n', model)]).files["models.config"]
    assert r'name: "x\042y\012"' in text
    assert r"/a \042b\042\134\303\251" in text
