from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from making import FLOAT, identity, model_of, value
from onnx import TensorProto, helper

from insula_onnx.client import ONNXClient
from insula_onnx.model import ModelInputError

Make = Callable[..., ONNXClient]
NUMBERS = {
    **{name: getattr(TensorProto, name.upper()) for name in ("int8", "int16", "int32", "int64", "bool")},
    **{name: getattr(TensorProto, name.upper()) for name in ("uint8", "uint16", "uint32", "uint64", "float16")},
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_makes_the_round_trip(client: Make, name: str) -> None:
    one = client(identity(NUMBERS[name], [None]))
    dtype = np.dtype(name)
    extremes = np.finfo(dtype) if dtype.kind == "f" else None if dtype.kind == "b" else np.iinfo(dtype)
    given = np.array([0, 1] if extremes is None else [0, 1, extremes.min, extremes.max], dtype=dtype)
    for model_input in (given, given.tolist(), {"x": given}):
        (found,) = one.predict(model_input)
        assert found.dtype == dtype
        assert np.array_equal(found, given)


@pytest.mark.parametrize(
    "text",
    [["a", "é\0b", ""], np.array(["a", "é\0b", ""]), np.array(["a", "é\0b", ""], dtype=object),
     [b"a", "é\0b".encode(), ""]],
)  # fmt: skip
def test_strings_make_the_round_trip(client: Make, text: Any) -> None:
    (found,) = client(identity(TensorProto.STRING, ["N"])).predict(text)
    assert found[0] == "a"
    assert found[2] == ""
    assert found[1][:1] == "é"


@pytest.mark.parametrize("scalar", [16000, np.int64(16000), np.array(16000), [16000], np.array([[16000]], np.int32)])
def test_a_scalar_is_given_as_anything_with_one_value(client: Make, scalar: Any) -> None:
    (found,) = client(identity(TensorProto.INT64, [])).predict(scalar)
    assert found.shape == ()
    assert found == 16000


def test_an_input_of_any_rank_keeps_the_shape_that_it_is_given(client: Make) -> None:
    one = client(identity(FLOAT, None))
    assert [one.predict(np.zeros(shape))[0].shape for shape in ((), (1,), (2, 3))] == [(), (1,), (2, 3)]


FITS = [
    (("N", 4), (4,), (1, 4)),
    (("N", 4), (8,), (2, 4)),
    ((None, 1), (5,), (5, 1)),
    ((1, 2, 3), (6,), (1, 2, 3)),
    ((1, 2, 3), (2, 3), (1, 2, 3)),
    (("N", 3, "H", "W"), (3, 5, 7), (1, 3, 5, 7)),
    (("N", "M"), (2, 2), (2, 2)),
    ((1,), (), (1,)),
]
MISFITS = [(("N", "M"), (4,)), (("N", 4), (6,)), (("N", 4), (2, 2)), ((2, 3), (4,)), ((2, 3), (3, 2)), (("N",), (2, 2)),
           (("N", 0), (4,)), (("N", 4), (0,)), ((2, "H", 3), (4, 3))]  # fmt: skip


@pytest.mark.parametrize("shape, found, made", FITS)
def test_a_value_is_reshaped_where_there_is_no_doubt(client: Make, shape: Any, found: Any, made: Any) -> None:
    values = np.arange(np.prod(found), dtype=np.float32).reshape(found)
    (answer,) = client(identity(FLOAT, shape)).predict(values)
    assert answer.shape == made
    assert np.array_equal(answer.ravel(), values.ravel())


@pytest.mark.parametrize("shape, found", MISFITS)
def test_another_shape_is_refused(client: Make, shape: Any, found: Any) -> None:
    with pytest.raises(ModelInputError, match="input 'x': expected float32 of shape .*, found float32 of shape"):
        client(identity(FLOAT, shape)).predict(np.zeros(found, np.float32))


REFUSED = [
    (TensorProto.INT32, [1.0, float("nan")], "[N], found float64 of shape [2]: it holds a value that is NaN"),
    (TensorProto.INT32, [float("inf")], "it holds a value that is infinite"),
    (TensorProto.INT32, [1.5], "1.5 has a fraction"),
    (TensorProto.INT8, [300], "300 is out of the range of int8"),
    (TensorProto.UINT8, [-1], "-1 is out of the range of uint8"),
    (TensorProto.UINT64, [2.0**64], "18446744073709551616 is out of the range of uint64"),
    (TensorProto.INT64, [2.0**63], "9223372036854775808 is out of the range of int64"),
    (TensorProto.INT64, [2**64], "it holds an integer of more than 64 bits"),
    (TensorProto.BOOL, [2], "2 is out of the range of bool"),
    (TensorProto.FLOAT, [1e300], "1e+300 is too large for float32"),
    (TensorProto.FLOAT16, [70000], "70000 is too large for float16"),
    (TensorProto.FLOAT, ["1"], "<U1 is not a number"),
    (TensorProto.FLOAT, [1, None], "it holds None, which is not a number"),
    (TensorProto.FLOAT, [1j], "complex128 is not a number"),
    (TensorProto.FLOAT, [[1, 2], [3]], "found a list: its lists differ in length"),
    (TensorProto.STRING, ["a", None], "[N], found object of shape [2]: it holds None, which is not text"),
    (TensorProto.STRING, ["a", 1], "it holds 1, which is not text"),
    (TensorProto.STRING, [b"\xff"], r"b'\xff' is not UTF-8"),
    (TensorProto.STRING, np.array([1]), "int64 is not text"),
]


@pytest.mark.parametrize("elements, given, told", REFUSED)
def test_what_would_be_changed_is_refused(client: Make, elements: int, given: Any, told: str) -> None:
    with pytest.raises(ModelInputError) as caught:
        client(identity(elements, ["N"])).predict(given)
    assert str(caught.value).startswith("the model: input 'x': expected ")
    assert str(caught.value).endswith(told)


ACCEPTED = [
    (TensorProto.INT32, [2.0], [2]),
    (TensorProto.INT32, [True], [1]),
    (TensorProto.FLOAT, [1], [1.0]),
    (TensorProto.FLOAT, [float("inf"), 0.5], [float("inf"), 0.5]),
    (TensorProto.FLOAT, np.array([1, 2.5], dtype=object), [1.0, 2.5]),
    (TensorProto.FLOAT, np.array([1, 2], dtype=">f8"), [1.0, 2.0]),
    (TensorProto.FLOAT, [], []),
    (TensorProto.BOOL, [0, 1], [False, True]),
    (TensorProto.UINT64, [2**64 - 1], [2**64 - 1]),
]


@pytest.mark.parametrize("elements, given, made", ACCEPTED)
def test_what_stays_the_same_is_cast(client: Make, elements: int, given: Any, made: list[Any]) -> None:
    assert client(identity(elements, ["N"])).predict(given)[0].tolist() == made


def test_an_array_of_the_declared_type_is_passed_on_uncopied(client: Make) -> None:
    model = client(identity())._models.choose(None)
    rows = np.zeros((2, 4), np.float32)
    assert model.inputs["x"].accept(rows) is rows


def test_several_inputs_need_a_dict(client: Make) -> None:
    inputs = [value("a", FLOAT, [None, None]), value("b", FLOAT, [None, None])]
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Sub", ["a", "b"], ["rest"])]
    outputs = [value("sum", FLOAT, [None, None]), value("rest", FLOAT, [None, None])]
    one = client(model_of(helper.make_graph(nodes, "graph", inputs, outputs)))
    found = one.predict({"a": [[1, 2]], "b": np.array([[3, 5]])})
    assert [output.tolist() for output in found] == [[[4, 7]], [[-2, -3]]]
    with pytest.raises(ModelInputError, match=r"has 2 inputs \(a, b\): give a dict of input name to value, not a list"):
        one.predict([1, 2])


INTEGERS = [name for name in NUMBERS if "int" in name]


@given(
    arrays.arrays(st.sampled_from(["float64", "float32", "int64", "uint64", "int8"]), arrays.array_shapes(max_dims=1)),
    st.sampled_from(INTEGERS),
)
def test_a_cast_to_integers_is_exact_or_refused(values: Any, name: str) -> None:
    from insula_onnx.casting import Unsafe, cast

    exact = [one == one and one not in (float("inf"), float("-inf")) and one == int(one) for one in values.tolist()]
    limits = np.iinfo(name)
    possible = all(exact) and all(limits.min <= int(one) <= limits.max for one in values.tolist())
    try:
        made = cast(values, np.dtype(name))
    except Unsafe:
        assert not possible
    else:
        assert possible
        assert [int(one) for one in values.tolist()] == made.tolist()
