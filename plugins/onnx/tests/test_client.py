from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from making import FLOAT, identity, scaled

from insula.model_names import ModelNameError
from insula_onnx.client import ONNXClient
from insula_onnx.model import ModelInputError

Make = Callable[..., ONNXClient]


def test_the_outputs_come_as_a_list(client: Make) -> None:
    rows = np.arange(8, dtype=np.float32).reshape(2, 4)
    outputs = client(identity()).predict(rows)
    assert type(outputs) is list
    assert np.array_equal(outputs[0], rows)


def test_a_dict_of_input_name_to_value_serves_too(client: Make) -> None:
    assert client(identity()).predict({"x": [[1, 2, 3, 4]]})[0].tolist() == [[1, 2, 3, 4]]


def test_models_are_chosen_by_name(client: Make) -> None:
    both = client(twice=scaled(2), thrice=scaled(3))
    assert both.predict([1, 1, 1, 1], "thrice")[0].tolist() == [[3, 3, 3, 3]]
    assert both.predict([1, 1, 1, 1], model_name="twice")[0].tolist() == [[2, 2, 2, 2]]


@pytest.mark.parametrize("name, told", [(None, "model_name is missing"), ("once", "no model 'once'")])
def test_a_wrong_or_missing_name_lists_the_choices(client: Make, name: str | None, told: str) -> None:
    with pytest.raises(ModelNameError, match=f"{told}; the models are twice, thrice$"):
        client(twice=scaled(2), thrice=scaled(3)).predict([1, 1, 1, 1], name)


def test_one_model_needs_no_name(client: Make) -> None:
    one = client(twice=scaled(2))
    assert one.predict([1, 1, 1, 1])[0].tolist() == one.predict([1, 1, 1, 1], "twice")[0].tolist()
    with pytest.raises(ModelNameError, match="no model 'once'; the models are twice"):
        one.predict([1, 1, 1, 1], "once")


def test_a_name_for_a_model_without_one_is_refused(client: Make) -> None:
    with pytest.raises(ModelNameError, match="leave model_name out"):
        client(identity()).predict([1, 1, 1, 1], "iris")


def test_sessions_and_signatures_go_by_model_name(client: Make) -> None:
    one = client(identity(FLOAT, ("batch", None, 3)))
    assert one.sessions["_cortex_default"].get_inputs()[0].name == "x"
    signatures = one.input_signatures
    assert signatures == {"_cortex_default": {"x": {"shape": ["batch", None, 3], "type": np.dtype("float32")}}}
    assert signatures["_cortex_default"]["x"]["type"] == "float32"


def test_an_input_with_a_default_may_be_left_out_or_given(client: Make) -> None:
    one = client(scaled(2))
    assert one.predict({"x": [1, 1, 1, 1]})[0].tolist() == [[2, 2, 2, 2]]
    assert one.predict({"x": [1, 1, 1, 1], "factor": [5, 6, 7, 8]})[0].tolist() == [[5, 6, 7, 8]]


@pytest.mark.parametrize(
    "given, told",
    [
        ({"z": [1]}, r"model_input misses x and names z; the inputs are x, factor"),
        ({}, r"model_input misses x; the inputs are x, factor"),
        ({"x": [1, 1, 1, 1], "factors": 1}, r"model_input names factors; the inputs are x, factor"),
    ],
)
def test_wrong_input_names_are_told_with_the_right_ones(client: Make, given: dict[str, object], told: str) -> None:
    with pytest.raises(ModelInputError, match=f"^the model: {told}$"):
        client(scaled(2)).predict(given)
