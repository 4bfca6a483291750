from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from insula.worker.encoding import encode_each
from insula_tensorflow.arrays import OutputArray


def _made(values: Any, dtype: str | None = None) -> Any:
    return np.array(values, dtype=dtype).view(OutputArray)


@pytest.mark.parametrize("value", [7, [7], [[7]], [[[7]]]])
def test_one_element_is_a_number_whatever_its_dimensions(value: Any) -> None:
    one = _made(value)
    assert (int(one), float(one), complex(one), operator.index(one)) == (7, 7.0, 7 + 0j, 7)


def test_the_example_of_cortex_works() -> None:
    prediction = {"class_ids": _made([[1], [2]])}
    labels = ["setosa", "versicolor", "virginica"]
    assert labels[int(prediction["class_ids"][0])] == "versicolor"
    assert labels[prediction["class_ids"][1]] == "virginica"
    assert np.reshape(np.array(prediction["class_ids"]), [-1, 2]).tolist() == [[1, 2]]


def test_several_elements_are_no_number() -> None:
    with pytest.raises(TypeError, match=r"an array of shape \[2\] is not one element, so it cannot become int"):
        int(_made([1, 2]))
    with pytest.raises(TypeError, match="cannot become float"):
        float(_made([]))


@pytest.mark.parametrize("value", [[1.0], [True], [b"1"]])
def test_only_integers_are_indices(value: Any) -> None:
    with pytest.raises(TypeError, match="is no index"):
        operator.index(_made(value, "object" if value == [b"1"] else None))


def test_it_is_an_array_in_all_else() -> None:
    one = _made([[1.5, 2.5]])
    assert (one + 1).tolist() == [[2.5, 3.5]]
    assert one.sum() == 4.0
    lines = encode_each([one[0], one], 0, "id").lines
    assert b'"prediction":[1.5,2.5]' in lines
    assert b'"prediction":[[1.5,2.5]]' in lines
