from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from savedmodels import identity, save, scaled, spec

from insula.descriptors import WorkerContext
from insula_tensorflow.client import TensorFlowClient
from insula_tensorflow.loading import load_all
from insula_tensorflow.settings import Section, TensorFlowSettings

Make = Callable[..., WorkerContext]


def test_models_are_loaded_by_name_relative_to_the_project_and_by_version(context: Make, tmp_path: Path) -> None:
    scaled(tmp_path / "m" / "1", 2.0)
    scaled(tmp_path / "m" / "2", 3.0)
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path / "m")
    models, faults = load_all(context({"newest": "m", "first": tmp_path / "m" / "1", "zipped": archive}))
    assert faults == []
    client = TensorFlowClient(models)
    found = {name: client.predict([[1, 2, 3, 4]], name)["y"].tolist() for name in client.input_signatures}
    assert found == {"newest": [[3, 6, 9, 12]], "first": [[2, 4, 6, 8]], "zipped": [[3, 6, 9, 12]]}


def test_every_bad_model_is_told_by_name_and_path(context: Make, tmp_path: Path) -> None:
    scaled(tmp_path / "good", 2.0)
    identity(tmp_path / "quantised", tf.qint8)
    both = {key: (lambda x: {"y": x}, {"x": spec([None])}) for key in ("a", "b")}
    save(tmp_path / "two", **both)
    models = {name: name for name in ("good", "none", "two", "key", "quantised")}
    shutil.copytree(tmp_path / "good", tmp_path / "key")
    loaded, faults = load_all(context(models, keys={"key": "classify"}))
    assert [one.name for one in loaded] == ["good"]
    assert faults == [
        "model none (none): there is no such file or folder",
        "model two (two): it has several signatures, name one of them as signature_key: a, b",
        "model key (key): it has no signature 'classify'; its signatures are serving_default",
        "model quantised (quantised): numpy cannot hold x, y of its signature serving_default: sparse and ragged "
        "tensors, resources and quantised numbers must be converted inside the model",
    ]


def test_a_module_that_is_missing_is_the_only_fault(context: Make, tmp_path: Path) -> None:
    section = Section(tensorflow=TensorFlowSettings(imports=("no_such_text",)))
    models, (fault,) = load_all(context({"m": scaled(tmp_path / "m", 2.0)}, section))
    assert models == []
    assert fault.startswith("tensorflow.imports: no_such_text cannot be imported")


def test_gpu_never_falls_back_to_the_cpu(context: Make, tmp_path: Path) -> None:
    path = scaled(tmp_path / "m", 2.0)
    models, (fault,) = load_all(context({"_cortex_default": path}, targets={"gpu": object()}))
    assert models == []
    assert fault.startswith(f"the model ({path}): compute.gpu asks for a GPU, and TensorFlow ")
