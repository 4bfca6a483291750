from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
from making import identity, model_of, scaled, value
from onnx import TensorProto, helper

from insula.descriptors import WorkerContext
from insula_onnx.loading import load_all
from insula_onnx.settings import OnnxSettings

Make = Callable[..., WorkerContext]
Write = Callable[..., Path]


def test_models_are_loaded_by_name_and_relative_to_the_project(context: Make, write: Write) -> None:
    write(scaled(2), "two.onnx")
    models, faults = load_all(context({"twice": "two.onnx", "same": write(identity(), "same/1/m.onnx").parent}))
    assert faults == []
    assert {name: model.predict([1, 2, 3, 4])[0].tolist() for name, model in models.items()} == {
        "twice": [[2, 4, 6, 8]],
        "same": [[1, 2, 3, 4]],
    }


def test_every_bad_model_is_told_by_name_and_path(context: Make, write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    cut = write(identity(), "cut.onnx")
    cut.write_bytes(cut.read_bytes()[:-20])
    models, faults = load_all(
        context({"good": write(identity(), "good.onnx"), "none": "none.onnx", "empty": "empty.onnx", "cut": cut,
                 "opset": write(identity(opset=99), "opset.onnx"), "ir": write(identity(ir=99), "ir.onnx")})
    )  # fmt: skip
    assert list(models) == ["good"]
    assert [fault.partition(": ")[0] for fault in faults] == [
        "model none (none.onnx)", "model empty (empty.onnx)", f"model cut ({cut})",
        f"model opset ({tmp_path / 'opset.onnx'})", f"model ir ({tmp_path / 'ir.onnx'})",
    ]  # fmt: skip
    release = onnxruntime.__version__
    assert f"ONNX Runtime {release} does not know the opset that it asks for" in faults[3]
    assert "99" in faults[3]
    assert f"it is of a newer ONNX than ONNX Runtime {release} reads" in faults[4]
    assert not any("\n" in fault or "onnxruntime_src" in fault for fault in faults)


def test_a_graph_that_is_wrong_is_told_in_the_words_of_onnx_runtime(context: Make, write: Write) -> None:
    ends = [value("x", TensorProto.FLOAT, [1])], [value("y", TensorProto.FLOAT, [1])]
    wrong = helper.make_graph([helper.make_node("NoSuchThing", ["x"], ["y"])], "graph", *ends)
    _, (fault,) = load_all(context({"_cortex_default": write(model_of(wrong))}))
    assert fault.startswith("the model (")
    assert "NoSuchThing" in fault


def test_elements_that_numpy_has_no_dtype_for_are_refused(context: Make, write: Write) -> None:
    _, (fault,) = load_all(context({"brain": write(identity(TensorProto.BFLOAT16))}))
    assert "numpy has no dtype for x of type tensor(bfloat16), y of type tensor(bfloat16)" in fault


def test_an_absent_provider_is_a_fault_that_names_the_package(context: Make, write: Write) -> None:
    models = {"m": write(identity())}
    _, (fault,) = load_all(context(models, OnnxSettings(providers=("CUDAExecutionProvider",))))
    assert "has no CUDAExecutionProvider here" in fault
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in fault


def test_gpu_never_falls_back_to_the_cpu(context: Make, write: Write) -> None:
    models, targets = {"m": write(identity())}, {"gpu": object()}
    loaded, (fault,) = load_all(context(models, targets=targets))
    assert loaded == {}
    assert "onnxruntime-gpu" in fault
    only_cpu = OnnxSettings(providers=("CPUExecutionProvider",))
    _, (fault,) = load_all(context(models, only_cpu, targets=targets))
    assert "compute.gpu asks for a GPU, and predictor.onnx.providers names none" in fault


@pytest.mark.parametrize("name", ["m", "_cortex_default"])
def test_the_declared_scalars_are_known(context: Make, write: Write, name: str) -> None:
    models, _ = load_all(context({name: write(identity(TensorProto.INT64, []))}))
    assert models[name].predict([7])[0].shape == ()
