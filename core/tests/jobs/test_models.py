"""The models of a job: found before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from insula.errors import ProjectError
from insula.jobs.models import localise
from insula.spec import ApiSpec
from insula.spec.api import ModelSpec, ModelsSpec, PredictorSpec


def found(project: Path, models: ModelsSpec) -> list[tuple[str, str, str | None]]:
    api = localise(ApiSpec("x", PredictorSpec("onnx", models=models)), project, project / "cache")
    assert api.predictor.models.directory is None
    return [(one.name, one.path, one.signature_key) for one in api.predictor.models.listed]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("m/a.onnx", "m/v1.2/1/saved_model.pb", "m/.hidden", "empty/.keep"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def test_paths_start_from_the_project(project: Path) -> None:
    absolute = str(project / "m" / "a.onnx")
    models = (ModelSpec("a", "m/a.onnx", "s"), ModelSpec("b", absolute), ModelSpec("c", f"file://{absolute}"))
    assert found(project, ModelsSpec(models)) == [("a", absolute, "s"), ("b", absolute, None), ("c", absolute, None)]


def test_every_entry_of_a_folder_is_a_model(project: Path) -> None:
    folder = project / "m"
    assert found(project, ModelsSpec((), "m", "key")) == [
        ("a", str(folder / "a.onnx"), "key"),
        ("v1.2", str(folder / "v1.2"), "key"),
    ]


def test_an_api_without_models_is_left_alone(project: Path) -> None:
    api = ApiSpec("x", PredictorSpec("python"))
    assert localise(api, project, project / "cache") is api


@pytest.mark.parametrize(
    "models, message",
    [
        (ModelsSpec((ModelSpec("a", "no.onnx"),)), "model a: TREE/no.onnx: there is no such file or folder"),
        (ModelsSpec((), "none"), "models in none: TREE/none: there is no such file or folder"),
        (ModelsSpec((), "empty"), "models in empty: TREE/empty holds no model"),
        (ModelsSpec((), "m/a.onnx"), "models in m/a.onnx: TREE/m/a.onnx is no folder"),
        (ModelsSpec((ModelSpec("a", "ftp://h/x"),)), "model a: ftp://h/x: insula cannot read ftp://"),
    ],
)
def test_what_is_missing_is_named(project: Path, models: ModelsSpec, message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        found(project, models)
    assert str(caught.value).replace(str(project), "TREE").startswith(message)


def test_two_entries_of_one_name_are_told(project: Path) -> None:
    (project / "m" / "a").mkdir()
    with pytest.raises(ProjectError, match=r"a and a\.onnx are both a model named a"):
        found(project, ModelsSpec((), "m"))
