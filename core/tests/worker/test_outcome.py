from __future__ import annotations

from collections import namedtuple
from collections.abc import AsyncIterator
from typing import Any

import pytest

from insula.descriptors import Predictions
from insula.spec.api import Returns
from insula.worker.outcome import interpret


class Framework:
    """Stands for a framework's value, of which only the class's module and name are looked at."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.dtype = self

    kind = "i"

    def detach(self) -> Framework:
        return self

    def cpu(self) -> Framework:
        return self

    def tolist(self) -> Any:
        return self.values

    def to_dict(self, orient: str) -> Any:
        assert orient == "records"
        return self.values


def framework(module: str, name: str) -> Any:
    return type(name, (Framework,), {"__module__": module})


class EagerTensor:
    def __init__(self, values: Any) -> None:
        self.values = values

    def numpy(self) -> Any:
        return Framework(self.values) if isinstance(self.values, list) else self.values


EagerTensor.__module__ = "tensorflow.python.framework.ops"
Tensor = framework("torch", "Tensor")
Parameter = type("Parameter", (Tensor,), {"__module__": "torch.nn.parameter"})
ndarray = framework("numpy", "ndarray")
Series = framework("pandas.core.series", "Series")
DataFrame = framework("pandas", "DataFrame")


class MyList(list):  # type: ignore[type-arg]
    pass


Pair = namedtuple("Pair", "a b")

EACH = [
    ([1, 2], [1, 2]),
    ([None, {"a": 1}], [None, {"a": 1}]),
    (MyList([1, 2]), [1, 2]),
    (ndarray([1, 2]), [1, 2]),
    (Series([1, 2]), [1, 2]),
    (DataFrame([{"a": 1}, {"a": 2}]), [{"a": 1}, {"a": 2}]),
    (Tensor([1, 2]), [1, 2]),
    (Parameter([1, 2]), [1, 2]),
    (EagerTensor([1, 2]), [1, 2]),
]
WHOLE = [
    ((1, 2), (1, 2)),
    (Pair(1, 2), Pair(1, 2)),
    ({"a": 1}, {"a": 1}),
    ("ab", "ab"),
    (b"ab", b"ab"),
    (3, 3),
    (ndarray(2.5), 2.5),
    (Tensor(7), 7),
    (EagerTensor(7), 7),
]


_RETURNS: tuple[Returns, ...] = ("auto", "each")


@pytest.mark.parametrize("value, values", EACH, ids=lambda it: type(it).__name__)
def test_rows_are_one_prediction_a_sample(value: Any, values: list[Any]) -> None:
    for returns in _RETURNS:
        assert interpret(value, returns, 2) == Predictions.each(values)
        with pytest.raises(ValueError, match="predict returned 2 predictions for 3 samples"):
            interpret(value, returns, 3)
    assert interpret(value, "whole", 2) == Predictions.whole(values)


@pytest.mark.parametrize("value, whole", WHOLE, ids=lambda it: type(it).__name__)
def test_everything_else_is_one_prediction_for_the_batch(value: Any, whole: Any) -> None:
    assert interpret(value, "auto", 2) == Predictions.whole(whole)
    assert interpret(value, "whole", 2) == Predictions.whole(whole)


def test_none_says_that_the_output_is_stored() -> None:
    assert interpret(None, "auto", 2) == Predictions.stored()
    assert interpret(None, "whole", 2) == Predictions.whole(None)
    with pytest.raises(TypeError, match=r"predict returned None, but predictor\.returns is each"):
        interpret(None, "each", 2)


def test_a_tuple_is_one_prediction_a_sample_if_it_is_meant_so() -> None:
    assert interpret((1, 2), "each", 2) == Predictions.each([1, 2])
    with pytest.raises(ValueError, match="2 predictions for 1 samples"):
        interpret((1, 2), "each", 1)


@pytest.mark.parametrize("value", ["ab", {"a": 1, "b": 2}, {1, 2}, 5, ndarray(3)])
def test_what_has_no_rows_is_not_one_prediction_a_sample(value: Any) -> None:
    with pytest.raises(TypeError, match=r"but predictor\.returns is each: return a list with one prediction a sample"):
        interpret(value, "each", 2)


@pytest.mark.parametrize("value", [None, [1], [1, 2], "x", ndarray([1])])
def test_nothing_ignores_what_is_returned(value: Any) -> None:
    assert interpret(value, "nothing", 2) == Predictions.stored()


@pytest.mark.parametrize("returns", ["auto", "each", "whole", "nothing"])
def test_what_has_not_run_yet_is_an_error(returns: Returns) -> None:
    async def coroutine() -> None: ...

    async def generator() -> AsyncIterator[int]:
        yield 1

    waiting = coroutine()
    for value in ((x for x in [1, 2]), map(str, [1, 2]), iter([1]), waiting, generator()):
        with pytest.raises(TypeError, match="which has predicted nothing yet: return a list"):
            interpret(value, returns, 2)
    waiting.close()
