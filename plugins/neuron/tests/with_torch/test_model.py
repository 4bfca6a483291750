"""Padding, splitting and joining, on models of which nothing is compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from insula.model_names import ModelNameError
from insula_neuron.client import NeuronClient
from insula_neuron.model import ModelInputError, NeuronModel

COMPILED = 4


class Fixed:
    """Takes batches of four rows only, as a compiled model does, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[list[list[float]]] = []

    def __call__(self, x: torch.Tensor, scale: float = 2.0) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        if len(x) != COMPILED:
            raise RuntimeError(f"Incorrect tensor shape at input tensor #0: received {len(x)} 2, expected 4 2.")
        self.batches.append(x.tolist())
        return x * scale, {"sum": x.sum(1), "first": x[:, :1]}


def rows(count: int) -> np.ndarray[Any, Any]:
    return np.arange(2 * count, dtype=np.float32).reshape(count, 2) + 1


def model(call: Any, arguments: tuple[str, ...] = ("x", "scale"), size: int | None = COMPILED) -> NeuronModel:
    return NeuronModel("m", call, arguments, size)


@pytest.mark.parametrize("count", range(1, 3 * COMPILED + 1))
def test_every_number_of_rows_is_padded_or_split_and_put_together_again(count: int) -> None:
    fixed = Fixed()
    doubled, others = model(fixed).predict(rows(count))
    np.testing.assert_array_equal(doubled, rows(count) * 2)
    np.testing.assert_array_equal(others["sum"], rows(count).sum(1))
    np.testing.assert_array_equal(others["first"], rows(count)[:, :1])
    assert len(fixed.batches) == -(-count // COMPILED)
    seen = [row for batch in fixed.batches for row in batch]
    padding = [rows(count)[-1].tolist()] * (len(seen) - count)
    assert seen == rows(count).tolist() + padding


@given(count=st.integers(1, 40), size=st.integers(1, 12))
def test_no_row_is_lost_or_moved(count: int, size: int) -> None:
    found = model(lambda x: x + 1, ("x",), size).predict(rows(count))
    np.testing.assert_array_equal(found, rows(count) + 1)


@pytest.mark.parametrize(
    "given",
    [
        rows(3),
        torch.from_numpy(rows(3)),
        rows(3).tolist(),
        list(rows(3)),
        list(torch.from_numpy(rows(3))),
        {"x": rows(3)},
        (rows(3), 2.0),
        {"scale": 2, "x": rows(3)},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_be_given(given: Any) -> None:
    doubled, _ = model(Fixed()).predict(given)
    assert isinstance(doubled, np.ndarray)
    assert doubled.dtype == np.float32
    np.testing.assert_array_equal(doubled, rows(3) * 2)


@pytest.mark.parametrize(
    "value, dtype",
    [
        ([[1.5]], torch.float32),
        ([[1, 2]], torch.int64),
        ([[True]], torch.bool),
        ([[1, 2.5]], torch.float32),
        ([np.array([1.5])], torch.float64),
        (np.array([[1.5]]), torch.float64),
        (np.array([[1]], ">i4"), torch.int32),
        (np.array([[1]], np.uint8), torch.uint8),
        (np.frombuffer(b"\1\2", np.int8), torch.int8),
        (rows(4)[::-1], torch.float32),
    ],
)
def test_dtypes(value: Any, dtype: torch.dtype) -> None:
    found: list[torch.dtype] = []
    model(lambda x: found.append(x.dtype) or x, ("x",), None).predict(value)
    assert found == [dtype]


def test_without_a_batch_size_everything_is_passed_on() -> None:
    found = model(lambda x, n: (x, n, None, torch.tensor(2.5)), ("x", "n"), None).predict((rows(7), 3))
    assert found[0].shape == (7, 2)
    assert found[1:3] == (3, None)
    assert float(found[3]) == 2.5


@pytest.mark.parametrize("number", [np.float64(2.5), np.float32(2.5), np.int64(3), np.bool_(True), 2.5, 3, True])
def test_single_numbers_become_those_of_python(number: Any) -> None:
    found: list[Any] = []
    model(lambda x, n: found.append(n) or x, ("x", "n"), None).predict((rows(1), number))
    assert type(found[0]) in (float, int, bool)
    assert found == [number]


def test_what_numpy_has_not() -> None:
    assert model(lambda x: x.to(torch.bfloat16), ("x",), None).predict(rows(2)).dtype == np.float32


@pytest.mark.parametrize(
    "given, told",
    [
        ((rows(1), 1.0, 2.0), "model m got 3 inputs and takes 2: x, scale"),
        ({"y": rows(1)}, "model m has no input y; the inputs are x, scale"),
        ({"scale": 1.0}, "model m: model_input misses x; the inputs are x, scale"),
        ({"x": [[1, 2], [3]]}, "model m: input 'x': its rows differ in shape"),
        ([["a"]], "model m: input 'x': expected numbers, found values of dtype <U1"),
        ("text", "expected an array, a tensor, a list or a number, found a str"),
        (np.array([[1j]], object), "model m: input 'x': "),
        ((rows(2), rows(3)), "model m: its inputs have 2, 3 rows; give all the same"),
        (rows(0), "model m got a batch without rows"),
    ],
)
def test_what_may_not(given: Any, told: str) -> None:
    with pytest.raises(ModelInputError, match=told):
        model(Fixed()).predict(given)


@pytest.mark.parametrize(
    "call, told",
    [
        (lambda x: x.sum(), r"an output is \[\], not one row for each of 4"),
        (lambda x: x[:2], r"an output is \[2, 2\]"),
        (lambda x: (x, 7), "an output is a int"),
    ],
)
def test_outputs_that_are_not_by_rows_are_not_cut(call: Any, told: str) -> None:
    with pytest.raises(ModelInputError, match=f"3 rows do not make whole batches of 4, and {told}"):
        model(call, ("x",)).predict(rows(3))
    model(call, ("x",)).predict(rows(4))


def test_a_batch_that_the_model_was_not_compiled_for() -> None:
    told = "model m was compiled for batches of 4 and got 3 rows: set compute.neuron.batch_size to 4"
    with pytest.raises(ModelInputError, match=told):
        model(Fixed(), size=None).predict(rows(3))


def test_what_else_a_model_raises_is_left_as_it_is() -> None:
    def broken(x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("received 4 3, expected 4 2")

    with pytest.raises(RuntimeError, match="received 4 3, expected 4 2"):
        model(broken, ("x",)).predict(rows(4))


def test_models_by_name() -> None:
    client = NeuronClient([NeuronModel(name, lambda x, f=f: x * f, ("x",), 2) for name, f in (("a", 2), ("b", 3))])
    np.testing.assert_array_equal(client.predict(rows(3), "b"), rows(3) * 3)
    assert client.batch_sizes == {"a": 2, "b": 2}
    with pytest.raises(ModelNameError, match="model_name is missing; the models are a, b"):
        client.predict(rows(1))
    with pytest.raises(ModelNameError, match="no model 'c'; the models are a, b"):
        client.predict(rows(1), "c")
    only = NeuronClient([NeuronModel("_cortex_default", lambda x: x, ("x",))])
    with pytest.raises(ModelNameError, match="leave model_name out"):
        only.predict(rows(1), "a")
