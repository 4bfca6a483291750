from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from insula_tensorflow.lists import uneven


@pytest.mark.parametrize(
    "value, told",
    [
        ([[1, 2], [3]], "[1] has 1 element, [0] has 2 elements"),
        ([[1, 2], 3], "[1] is no list, [0] has 2 elements"),
        ([[[1], [2]], [[1, 2], [3, 4]]], "[1][0] has 2 elements, [0][0] has 1 element"),
        ([(1, 2), [3, 4], ()], "[2] has 0 elements, [0] has 2 elements"),
        ([np.ones(2), np.ones(3)], "[1] has 3 elements, [0] has 2 elements"),
        ([[np.ones((2, 2))], [np.ones((2, 3))]], "[1][0][0] has 3 elements, [0][0][0] has 2 elements"),
    ],
)
def test_the_first_place_of_another_length_is_told(value: Any, told: str) -> None:
    assert uneven(value) == f"its lists differ in length: {told}"


@pytest.mark.parametrize("value", [[], [[]], [[1], [2]], 5])
def test_even_lists_have_no_such_place(value: Any) -> None:
    assert uneven(value) == "its lists are no array"
