from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from insula.model_names import SINGLE, ModelNameError
from insula_tensorflow.arrays import OutputArray
from insula_tensorflow.client import TensorFlowClient
from insula_tensorflow.model import ModelInputError, TensorFlowModel
from insula_tensorflow.signature import Signature, TensorInfo


def _infos(**inputs: tuple[str, tuple[int | None, ...] | None]) -> dict[str, TensorInfo]:
    return {name: TensorInfo(name, np.dtype(dtype), shape) for name, (dtype, shape) in inputs.items()}


class Echo:
    """A model that answers with its inputs times a factor, and keeps what it was given."""

    def __init__(self, factor: float = 1, **inputs: tuple[str, tuple[int | None, ...] | None]) -> None:
        infos = _infos(**inputs)
        self.signatures: Mapping[str, Signature] = {"predict": Signature("predict", infos, infos)}
        self.factor = factor
        self.given: list[Mapping[str, Any]] = []

    def predict(self, signature: Signature, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.given.append(inputs)
        return {name: one if self.factor == 1 else one * self.factor for name, one in inputs.items()}

    def close(self) -> None:
        raise AssertionError("nobody closes it")


def _client(**models: Echo) -> TensorFlowClient:
    return TensorFlowClient([TensorFlowModel(name, one, one.signatures["predict"]) for name, one in models.items()])


def test_the_outputs_come_by_name_as_arrays_that_convert() -> None:
    found = _client(m=Echo(2, x=("f4", (None,)))).predict({"x": [1.5]})
    assert list(found) == ["x"]
    assert type(found["x"]) is OutputArray
    assert (float(found["x"]), found["x"].dtype, found["x"].shape) == (3.0, np.float32, (1,))


def test_an_array_that_fits_is_passed_on_as_it_is() -> None:
    echo, rows = Echo(x=("f4", (None, 2))), np.ones((3, 2), np.float32)
    _client(m=echo).predict({"x": rows})
    assert echo.given[0]["x"] is rows


def test_a_value_serves_for_the_only_input() -> None:
    assert _client(m=Echo(x=("i4", (None,)))).predict([1, 2])["x"].tolist() == [1, 2]


def test_scalars_and_any_shape() -> None:
    client = _client(m=Echo(n=("i8", ()), t=("O", None)))
    found = client.predict({"n": 5, "t": [["a"]]})
    assert found["n"].shape == ()
    assert found["t"].tolist() == [[b"a"]]
    assert client.predict({"n": 5, "t": "a"})["t"].tolist() == b"a"


@pytest.mark.parametrize(
    "given, told",
    [
        ({"x": [[1, 2]]}, "model_input misses n; the inputs are x, n"),
        ({"x": [[1, 2]], "m": 1}, "model_input misses n and names m; the inputs are x, n"),
        ({"x": [[1, 2]], "n": 1, 7: 1}, "model_input names 7; the inputs are x, n"),
        ({"x": [1, 2], "n": 1}, "input 'x': expected float32 of shape [?, 2], found float32 of shape [2]"),
        ({"x": np.ones((1, 3)), "n": 1}, "input 'x': expected float32 of shape [?, 2], found float32 of shape [1, 3]"),
        (
            {"x": [[1, 2], [3]], "n": 1},
            "input 'x': expected float32 of shape [?, 2], found a list: its lists differ in length",
        ),
        ({"x": [["a", "b"]], "n": 1}, "input 'x': expected float32 of shape [?, 2], found a list: it holds text"),
        (
            {"x": np.array([[1e300, 2]]), "n": 1},
            "input 'x': expected float32 of shape [?, 2], found float64 of shape [1, 2]: 1e+300 is not a value of float32",
        ),
        ({"x": [[1, 2]], "n": None}, "input 'n': expected int64 of shape [], found a NoneType: None is not a number"),
        ({"x": [[1, 2]], "n": [1]}, "input 'n': expected int64 of shape [], found int64 of shape [1]"),
    ],
)
@pytest.mark.parametrize("name, of", [(SINGLE, "the model"), ("iris", "model iris")])
def test_what_is_wrong_is_named_and_nothing_is_run(given: Any, told: str, name: str, of: str) -> None:
    echo = Echo(x=("f4", (None, 2)), n=("i8", ()))
    with pytest.raises(ModelInputError) as caught:
        _client(**{name: echo}).predict(given)
    assert str(caught.value).startswith(f"{of}: {told}")
    assert echo.given == []


def test_a_model_of_several_inputs_wants_a_dict() -> None:
    with pytest.raises(ModelInputError, match=r"model m has 2 inputs \(x, n\): give a dict of input name to value"):
        _client(m=Echo(x=("f4", None), n=("i8", ()))).predict([1, 2])


def test_models_are_chosen_by_name() -> None:
    both = _client(twice=Echo(2, x=("i4", (None,))), thrice=Echo(3, x=("i4", (None,))))
    assert both.predict({"x": [1]}, "thrice")["x"].tolist() == [3]
    assert both.predict({"x": [1]}, model_name="twice")["x"].tolist() == [2]
    for name, told in ((None, "model_name is missing"), ("once", "there is no model 'once'")):
        with pytest.raises(ModelNameError, match=f"^{told}; the models are twice, thrice$"):
            both.predict({"x": [1]}, name)


def test_one_model_needs_no_name() -> None:
    client = _client(twice=Echo(2, x=("i4", (None,))))
    assert client.predict({"x": [1]})["x"].tolist() == client.predict({"x": [1]}, "twice")["x"].tolist()
    with pytest.raises(ModelNameError, match="leave model_name out"):
        _client(**{SINGLE: Echo(x=("i4", (None,)))}).predict({"x": [1]}, "iris")


def test_input_signatures_are_as_in_cortex() -> None:
    client = _client(**{SINGLE: Echo(x=("f4", (None, 4)), n=("i8", ()), t=("O", None))})
    assert client.input_signatures == {
        "_cortex_default": {
            "x": {"shape": [-1, 4], "type": "float32"},
            "n": {"shape": "scalar", "type": "int64"},
            "t": {"shape": "unknown", "type": "string"},
        }
    }
