from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from lightserver import strings

from insula_tensorflow import messages, wire
from insula_tensorflow.datatypes import BFLOAT16, BY_NUMBER, STRING, DataType, UnheldTypeError
from insula_tensorflow.wire import WireError, decode, encode

KINDS = sorted(set(BY_NUMBER.values()) - {STRING, BFLOAT16}, key=lambda kind: kind.number)
SHAPES = [(), (0,), (1,), (5,), (0, 3), (2, 3), (2, 1, 4)]


def sent(array: Any, kind: DataType | None = None, typed: bool = False) -> Any:
    proto = messages.TensorProto()
    encode(array, proto, kind, typed=typed)
    return messages.TensorProto.FromString(proto.SerializeToString())


def proto(dtype: int, shape: tuple[int, ...], **fields: Any) -> Any:
    made = messages.TensorProto(dtype=dtype, **fields)
    for size in shape:
        made.tensor_shape.dim.add().size = size
    return made


def filled(kind: DataType, shape: tuple[int, ...]) -> Any:
    values = np.random.default_rng(kind.number).integers(0, 256, (*shape, kind.held.itemsize), dtype=np.uint8)
    if kind.held.kind == "b":
        values %= 2
    return values.view(kind.held)[..., 0]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.filterwarnings("ignore:invalid value")  # some halves and floats are NaN
def test_every_dtype_comes_back_as_it_was(kind: DataType, shape: tuple[int, ...], typed: bool) -> None:
    array = filled(kind, shape)
    back = decode(sent(array, typed=typed))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert np.array_equal(back, array, equal_nan=kind.held.kind in "fc")
    assert back.flags.writeable


@pytest.mark.parametrize("shape", SHAPES)
def test_strings_come_back_as_bytes(shape: tuple[int, ...]) -> None:
    array = np.full(shape, b"\xff\0 a", dtype=object)
    back = decode(sent(array, typed=False))
    assert (back.dtype, back.shape) == (np.dtype(object), shape)
    assert back.tolist() == array.tolist()


@pytest.mark.parametrize("array", [np.array(["é", "b"]), np.array([b"\xc3\xa9", b"b"]), strings(b"\xc3\xa9", b"b")])
def test_text_of_any_dtype_is_sent_as_utf_8(array: Any) -> None:
    assert decode(sent(array)).tolist() == [b"\xc3\xa9", b"b"]


@given(hnp.arrays(st.sampled_from([k.held for k in KINDS]), hnp.array_shapes(min_dims=0, min_side=0)), st.booleans())
@pytest.mark.filterwarnings("ignore")
def test_any_values_come_back(array: Any, typed: bool) -> None:
    back = decode(sent(array, typed=typed))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array, equal_nan=array.dtype.kind in "fc")


@pytest.mark.parametrize("typed", [False, True])
def test_arrays_in_another_order_or_byte_order_are_sent_by_value(typed: bool) -> None:
    array = np.arange(6, dtype=">f4").reshape(2, 3).T
    assert decode(sent(array, typed=typed)).tolist() == array.tolist()


@pytest.mark.parametrize("typed", [False, True])
def test_bfloat16_is_rounded_to_even_and_comes_as_float32(typed: bool) -> None:
    array = np.array([1.0, -2.5, 1.00390625, 1.01171875, np.inf, -np.inf, 3.4e38, -0.0], dtype=np.float32)
    message = sent(array, BFLOAT16, typed)
    back = decode(message)
    assert message.dtype == 14
    assert back.dtype == np.float32
    # Both are halfway between two neighbours; 3.4e38 is nearest to infinity.
    assert back.tolist() == [1.0, -2.5, 1.0, 1.015625, np.inf, -np.inf, np.inf, 0.0]
    assert np.isnan(decode(sent(np.array([np.nan], np.float32), BFLOAT16, typed)))[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_left_out_at_the_end_is_the_last_value_again(kind: DataType) -> None:
    array = filled(kind, (2,))
    whole = sent(array, typed=True)
    whole.tensor_shape.dim[0].size = 5
    back = decode(whole)
    expected = np.concatenate([array, np.repeat(array[-1:], 3)])
    assert np.array_equal(back, expected, equal_nan=kind.held.kind in "fc")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_values_at_all_are_zeros(kind: DataType) -> None:
    assert decode(proto(kind.number, (2, 2))).tolist() == np.zeros((2, 2), kind.held).tolist()


def test_strings_that_are_left_out_are_the_last_one_or_empty() -> None:
    assert decode(proto(7, (3,), string_val=[b"a", b"b"])).tolist() == [b"a", b"b", b"b"]
    assert decode(proto(7, (2,))).tolist() == [b"", b""]


def test_strings_packed_into_bytes_are_read() -> None:
    content = bytes([1, 0, 0x80, 1]) + b"a" + b"x" * 128
    assert decode(proto(7, (3,), tensor_content=content)).tolist() == [b"a", b"", b"x" * 128]


@pytest.mark.parametrize("number", [11, 12, 13, 15, 16, 20, 21, 24, 29, 0, 99, 101])
def test_what_numpy_cannot_hold_is_named(number: int) -> None:
    with pytest.raises(UnheldTypeError, match=rf"numpy has no dtype for .*type {number}\b"):
        decode(proto(number, (1,)))


@pytest.mark.parametrize("array", [np.zeros(1, "datetime64[s]"), np.zeros(1, "longdouble"), np.zeros(1, "V3")])
def test_what_tensorflow_does_not_have_is_named(array: Any) -> None:
    with pytest.raises(UnheldTypeError, match="TensorFlow has no type for arrays of"):
        sent(array)


@pytest.mark.parametrize("kind", [BY_NUMBER[9], STRING, BFLOAT16])
def test_an_array_of_another_type_than_is_wanted_is_not_cast(kind: DataType) -> None:
    with pytest.raises(WireError, match=f"an array of int32 is no {kind.name}"):
        sent(np.zeros(2, np.int32), kind)


@pytest.mark.parametrize("value", [None, 1, ["a"]])
def test_an_object_that_is_no_string_is_refused(value: object) -> None:
    array = np.empty(1, dtype=object)
    array[0] = value
    with pytest.raises(WireError, match="a tensor of strings cannot hold"):
        sent(array)


@pytest.mark.parametrize(
    "message, told",
    [
        (proto(1, (2,), tensor_content=b"1234567"), "a tensor of 2 DT_FLOAT has 7 bytes in place of 8"),
        (proto(1, (2,), float_val=[1, 2, 3]), "a tensor of 2 DT_FLOAT has 3 values"),
        (proto(8, (1,), scomplex_val=[1]), "a tensor of DT_COMPLEX64 has an odd number of parts: 1"),
        (proto(7, (1,), string_val=[b"", b""]), "a tensor of 1 DT_STRING has 2 values"),
        (proto(7, (2,), tensor_content=b"\1\1a"), "a tensor of 2 DT_STRING has 3 bytes in place of 4"),
        (proto(7, (2,), tensor_content=b"\1\x80"), "the lengths of a tensor of strings are cut off"),
        (proto(1, (-1, 2)), r"a tensor has an unknown shape: \[-1, 2\]"),
    ],
)
def test_messages_that_say_nothing_are_refused(message: Any, told: str) -> None:
    with pytest.raises(WireError, match=told):
        decode(message)


def test_an_unknown_rank_is_refused() -> None:
    message = messages.TensorProto(dtype=1)
    message.tensor_shape.unknown_rank = True
    with pytest.raises(WireError, match="unknown shape"):
        wire.decode(message)
