from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from savedmodels import identity, save, scaled, spec
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from insula_tensorflow.directories import ModelFault
from insula_tensorflow.embedded import EmbeddedModel, import_operations, load
from insula_tensorflow.signature import UNHOLDABLE, choose


def _load(path: Path, gpu: bool = False) -> EmbeddedModel:
    return load(path, intra_op_threads=1, inter_op_threads=1, gpu=gpu)


def _run(model: EmbeddedModel, key: str | None = None, **inputs: Any) -> dict[str, Any]:
    return model.predict(choose(model.signatures, key, "m"), inputs)


def test_a_model_with_a_variable_runs_again_and_again(tmp_path: Path) -> None:
    model = _load(scaled(tmp_path / "m", 2.0))
    for size in (1, 3, 0):
        rows = np.ones((size, 4), np.float32)
        assert _run(model, x=rows)["y"].tolist() == [[2.0] * 4] * size
    model.close()


def test_outputs_are_the_callers_own(tmp_path: Path) -> None:
    def function(x: Any) -> dict[str, Any]:
        return {"same": x, "constant": tf.constant([1.0, 2.0])}

    model = _load(save(tmp_path / "m", serving_default=(function, {"x": spec([None])})))
    given = np.zeros(2, np.float32)
    first = _run(model, x=given)
    for array in first.values():
        array += 100
    assert given.tolist() == [0, 0]
    assert {name: one.tolist() for name, one in _run(model, x=given).items()} == {"same": [0, 0], "constant": [1, 2]}


def test_signatures_say_names_dtypes_and_shapes(tmp_path: Path) -> None:
    def function(x: Any, n: Any, t: Any) -> dict[str, Any]:
        return {"y": x[:, 0], "n": n + 1, "t": t}

    inputs = {"x": spec([None, 4]), "n": spec([], tf.int64), "t": spec(None, tf.string)}
    model = _load(save(tmp_path / "m", one=(function, inputs), two=(lambda x: {"y": x}, {"x": spec([2])})))
    one = choose(model.signatures, "one", "m")
    assert one.method_name == "tensorflow/serving/predict"
    assert {name: (info.dtype, info.shape) for name, info in one.inputs.items()} == {
        "n": (np.int64, ()), "t": (np.dtype(object), None), "x": (np.float32, (None, 4)),
    }  # fmt: skip
    assert one.outputs["y"].shape == (None,)
    found = _run(model, "one", x=np.ones((1, 4), np.float32), n=np.array(1), t=np.array(b"a", dtype=object))
    assert all(type(value) is np.ndarray for value in found.values())
    assert (found["n"].tolist(), found["t"].tolist(), found["n"].shape) == (2, b"a", ())


DTYPES = [
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool",
    "complex64", "complex128",
]  # fmt: skip


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 2), (2, 3)])
def test_every_dtype_and_shape_makes_the_round_trip(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    model = _load(identity(tmp_path / "m", tf.dtypes.as_dtype(name), None))
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(name)
    found = _run(model, x=values)["y"]
    assert (found.dtype, found.shape) == (values.dtype, shape)
    assert np.array_equal(found, values)


def test_strings_are_bytes(tmp_path: Path) -> None:
    model = _load(identity(tmp_path / "m", tf.string, None))
    for values in (np.array(b"", dtype=object), np.array([[b"a\x00", "ä".encode(), b"\xff"]], dtype=object)):
        found = _run(model, x=values)["y"]
        assert (found.dtype, found.shape, found.tolist()) == (object, values.shape, values.tolist())


def test_bfloat16_is_float32_outside(tmp_path: Path) -> None:
    model = _load(identity(tmp_path / "m", tf.bfloat16))
    assert choose(model.signatures, None, "m").inputs["x"].dtype == np.float32
    found = _run(model, x=np.array([1.5, 1.001], np.float32))["y"]
    assert (found.dtype, found.tolist()) == (np.float32, [1.5, 1.0])


def test_what_numpy_cannot_hold_is_marked(tmp_path: Path) -> None:
    model = _load(identity(tmp_path / "m", tf.qint8))
    signature = choose(model.signatures, None, "m")
    assert signature.inputs["x"].dtype == UNHOLDABLE
    assert signature.unholdable == ["x", "y"]


def _cut(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes((folder / "saved_model.pb").read_bytes()[:-40])


def _html(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"<html>not found</html>")


def _no_variables(folder: Path) -> None:
    shutil.rmtree(folder / "variables")


def _cut_variables(folder: Path) -> None:
    (folder / "variables" / "variables.index").write_bytes(b"x")


def _no_weights(folder: Path) -> None:
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"")


def _changed(change: Callable[[Any], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        file = folder / "saved_model.pb"
        proto = SavedModel.FromString(file.read_bytes())
        change(proto)
        file.write_bytes(proto.SerializeToString())

    return spoil


def _train_only(proto: Any) -> None:
    proto.meta_graphs[0].meta_info_def.tags[:] = ["train"]
    proto.meta_graphs.append(proto.meta_graphs[0])


def _unknown_operation(proto: Any) -> None:
    proto.meta_graphs[0].graph_def.node[0].op = "SentencepieceOp"


def _no_kernel(proto: Any) -> None:
    proto.meta_graphs[0].graph_def.node[0].input.append("no_such_node")


@pytest.mark.parametrize(
    "spoil, told",
    [
        (_cut, "saved_model.pb is cut off, or something else; it begins with"),
        (_html, "saved_model.pb is cut off, or something else; it begins with b'<html>not found</htm'"),
        (_no_variables, "its variables are missing, cut off or damaged; copy or download it again"),
        (_cut_variables, "its variables are missing, cut off or damaged; copy or download it again (file is too short"),
        (_no_weights, "its variables are missing, cut off or damaged"),
        (_changed(_no_kernel), "cannot load it: "),
        (_changed(_train_only), "it has no graph with the tag serve (tags: train; train)"),
        (_changed(lambda proto: proto.Clear()), "it has no graph with the tag serve (tags: there is no graph)"),
        (_changed(_unknown_operation), "it uses the operation SentencepieceOp, which is none of TensorFlow's own"),
    ],
)
def test_a_bad_model_is_told_in_one_line(tmp_path: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(scaled(tmp_path / "m", 2.0))
    with pytest.raises(ModelFault) as caught:
        _load(tmp_path / "m")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_model_in_text_loads_too(tmp_path: Path) -> None:
    from google.protobuf import text_format

    file = scaled(tmp_path / "m", 2.0) / "saved_model.pb"
    file.with_suffix(".pbtxt").write_text(text_format.MessageToString(SavedModel.FromString(file.read_bytes())))
    file.unlink()
    assert _run(_load(tmp_path / "m"), x=np.ones((1, 4), np.float32))["y"].tolist() == [[2.0] * 4]
    file.with_suffix(".pbtxt").write_text("nonsense {")
    with pytest.raises(ModelFault, match="saved_model.pbtxt cannot be read"):
        _load(tmp_path / "m")


def test_a_gpu_that_is_not_there_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with pytest.raises(
        ModelFault, match=r"compute.gpu asks for a GPU, and TensorFlow .* pip install 'tensorflow\[and-cuda\]'"
    ):
        _load(scaled(tmp_path / "m", 2.0), gpu=True)


def test_modules_that_add_operations_are_imported_or_told() -> None:
    import_operations(["json"])
    with pytest.raises(ModelFault, match="tensorflow.imports: no_such_text cannot be imported"):
        import_operations(["no_such_text"])


def test_the_models_that_run_their_own_errors_raise(tmp_path: Path) -> None:
    def function(x: Any) -> dict[str, Any]:
        with tf.control_dependencies([tf.debugging.assert_positive(x, message="x must be positive")]):
            return {"y": tf.identity(x)}

    model = _load(save(tmp_path / "m", serving_default=(function, {"x": spec([None])})))
    with pytest.raises(tf.errors.InvalidArgumentError, match="x must be positive"):
        _run(model, x=np.array([-1], np.float32))
