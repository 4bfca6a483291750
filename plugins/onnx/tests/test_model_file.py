from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import FLOAT, identity, scaled
from onnx import TensorProto

from insula_onnx.model_file import ModelFault, find, inspect

Write = Callable[..., Path]


def test_a_file_is_the_model(write: Write) -> None:
    path = write(identity())
    assert find(path) == path


def test_a_folder_holds_one_model_somewhere_below(write: Write, tmp_path: Path) -> None:
    path = write(identity(), "iris/1/model.onnx")
    (tmp_path / "iris" / "README").touch()
    assert find(tmp_path / "iris") == path


def test_a_folder_with_none_or_several_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match=r"the folder holds no \*\.onnx"):
        find(tmp_path)
    write(identity(), "a.onnx")
    write(identity(), "b/c.onnx")
    with pytest.raises(ModelFault, match=r"holds 2 models \(a\.onnx, b/c\.onnx\)"):
        find(tmp_path)
    with pytest.raises(ModelFault, match="no such file or folder"):
        find(tmp_path / "none")


def test_scalars_are_told_from_inputs_of_any_shape(write: Write) -> None:
    assert inspect(write(identity(FLOAT, []))).scalars == {"x"}
    assert inspect(write(identity(FLOAT, None))).scalars == set()
    assert inspect(write(identity(FLOAT, [None]))).scalars == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_wherever_a_model_is_cut_off_is_seen(write: Write, share: float) -> None:
    path = write(scaled(2, size=1000))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelFault, match=r"is empty|is cut off|is no ONNX model"):
        inspect(path)


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", r"is no ONNX model; it begins with b'<html>not found<'"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS"),
        (b"\0" * 100, "is no ONNX model"),
        (bytes(range(1, 250)), "is no ONNX model"),
    ],
)
def test_what_is_no_model_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFault, match=told):
        inspect(path)


def _with_external_data(folder: Path) -> Path:
    path = folder / "model.onnx"
    onnx.save(scaled(2, 1000), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def test_external_data_counts(tmp_path: Path) -> None:
    found = inspect(_with_external_data(tmp_path))
    assert found.external == (tmp_path / "weights.bin",)
    assert found.size == found.path.stat().st_size + 4000


def test_missing_or_short_external_data_is_told(tmp_path: Path) -> None:
    path = _with_external_data(tmp_path)
    with open(tmp_path / "weights.bin", "r+b") as file:
        file.truncate(100)
    with pytest.raises(ModelFault, match=r"weights\.bin has 100 bytes and should have 4000 or more"):
        inspect(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelFault, match=r"its external data is missing: there is no file weights\.bin"):
        inspect(path)


def test_tensors_of_any_type_are_walked_past(write: Write) -> None:
    made = identity()
    made.graph.initializer.append(onnx.helper.make_tensor("s", TensorProto.STRING, [2], [b"a", b"b"]))
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(5.0), "d"))
    made.graph.initializer.append(onnx.helper.make_tensor("f", FLOAT, [3], [1.0, 2.0, 3.0]))
    assert inspect(write(made)).external == ()
