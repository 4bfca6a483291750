"""TensorFlow's data types by their numbers, and the numpy dtypes that hold their values."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np


class UnheldTypeError(TypeError):
    """Values are of a type that has no counterpart on the other side: numpy's or TensorFlow's."""


@attrs.frozen
class DataType:
    """A type that arrays can hold.

    Args:
        number: of `tensorflow.DataType`.
        name: what TensorFlow calls it.
        dtype: numpy's, of the bytes in `tensor_content` (little-endian); strings have `object`.
        held: the dtype of arrays; another one than `dtype` only of bfloat16, which numpy has not: float32 holds all of
            its values exactly.
        field: of TensorProto, for values one by one.
        raw: the dtype of the values in the field, None if it is `dtype`.
    """

    number: int
    name: str
    dtype: np.dtype[Any]
    held: np.dtype[Any]
    field: str
    raw: np.dtype[Any] | None = None


def _type(number: int, name: str, dtype: str, field: str, raw: str | None = None) -> DataType:
    holder = "=f4" if name == "DT_BFLOAT16" else dtype.replace("<", "=")
    return DataType(number, name, np.dtype(dtype), np.dtype(holder), field, None if raw is None else np.dtype(raw))


_HELD = (
    _type(1, "DT_FLOAT", "<f4", "float_val"),
    _type(2, "DT_DOUBLE", "<f8", "double_val"),
    _type(3, "DT_INT32", "<i4", "int_val"),
    _type(4, "DT_UINT8", "u1", "int_val"),
    _type(5, "DT_INT16", "<i2", "int_val"),
    _type(6, "DT_INT8", "i1", "int_val"),
    _type(7, "DT_STRING", "O", "string_val"),
    _type(8, "DT_COMPLEX64", "<c8", "scomplex_val", raw="=f4"),
    _type(9, "DT_INT64", "<i8", "int64_val"),
    _type(10, "DT_BOOL", "?", "bool_val"),
    # Its values are numbers of 16 bits, the upper ones of a float32.
    _type(14, "DT_BFLOAT16", "<u2", "half_val", raw="=u2"),
    _type(17, "DT_UINT16", "<u2", "int_val"),
    _type(18, "DT_COMPLEX128", "<c16", "dcomplex_val", raw="=f8"),
    _type(19, "DT_HALF", "<f2", "half_val", raw="=u2"),
    _type(22, "DT_UINT32", "<u4", "uint32_val"),
    _type(23, "DT_UINT64", "<u8", "uint64_val"),
)
BY_NUMBER = {one.number: one for one in _HELD}
BFLOAT16 = BY_NUMBER[14]
STRING = BY_NUMBER[7]
_BY_DTYPE = {one.held: one for one in _HELD if one is not BFLOAT16}
_UNHELD = {
    11: "DT_QINT8",
    12: "DT_QUINT8",
    13: "DT_QINT32",
    15: "DT_QINT16",
    16: "DT_QUINT16",
    20: "DT_RESOURCE",
    21: "DT_VARIANT",
    24: "DT_FLOAT8_E5M2",
    25: "DT_FLOAT8_E4M3FN",
    29: "DT_INT4",
    30: "DT_UINT4",
}


def of_number(number: int) -> DataType:
    """Return the type of a number.

    Raises:
        UnheldTypeError: if no array can hold it, or it is none.
    """
    found = BY_NUMBER.get(number)
    if found is None:
        name = _UNHELD.get(number)
        told = f"{name} (type {number})" if name else f"type {number} of TensorFlow"
        raise UnheldTypeError(f"numpy has no dtype for {told}; put a cast to another type there")
    return found


def of_dtype(dtype: np.dtype[Any]) -> DataType:
    """Return the type that has the values of an array's dtype.

    Raises:
        UnheldTypeError: if TensorFlow has none.
    """
    if dtype.kind in "OSU":
        return STRING
    # Where TensorFlow is installed, ml_dtypes gives numpy a dtype of this name.
    if dtype.name == "bfloat16":
        return BFLOAT16
    found = _BY_DTYPE.get(dtype.newbyteorder("="))
    if found is None:
        raise UnheldTypeError(f"TensorFlow has no type for arrays of {dtype}")
    return found
