"""Values of predictors as arrays of a signature's dtype, unless that would change what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from insula_tensorflow.backend import Array
from insula_tensorflow.lists import uneven

_OTHERS = {
    "U": "it holds text, which is not a number",
    "S": "it holds bytes, which are not a number",
    "O": "it holds an integer of more than 64 bits",
}
_NUMBERS = (int, float, complex, np.number, np.bool_)


class UnsafeError(ValueError):
    """A value has no equal in the dtype; the text says which and why."""


def convert(value: Any, dtype: np.dtype[Any]) -> Array:
    """Return a value as an array.

    Numbers become floats and complex numbers (rounded, never infinite by overflow); those that are whole and in range
    become integers, and 0 and 1 bools. Text becomes bytes, by UTF-8, for a dtype of `object`.

    Args:
        value: an array, a tensor, a number, a string, or lists of these.

    Raises:
        UnsafeError: if lists differ in length, or an element is not of this dtype.
    """
    if dtype.kind == "O":
        return _strings(value)
    array = _numbers(value, dtype)
    return array if array.dtype == dtype else _cast(array, dtype)


def _cast(array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype.kind == "c" and dtype.kind != "c":
        raise UnsafeError(f"complex numbers are not values of {dtype}")
    with np.errstate(all="ignore"):
        made = array.astype(dtype)
        lost = made != array if dtype.kind in "iub" else np.isinf(made) & ~np.isinf(array)
    if lost.any():
        raise UnsafeError(f"{array[lost].flat[0]} is not a value of {dtype}")
    return made


def _numbers(value: Any, dtype: np.dtype[Any]) -> Array:
    """Return a value as an array of any dtype that holds its numbers exactly."""
    array = _array(value)
    if array.dtype.name == "bfloat16":  # of ml_dtypes, where TensorFlow is
        return array.astype(np.float32)
    if array.dtype.kind == "O":
        _refuse_others(array)
        array = _array(array.tolist())
    if dtype.kind in "iu" and (array.dtype.kind == "O" or _inexact(array)):
        return _integers(np.asarray(value, dtype=object), dtype)
    if array.dtype.kind not in "biufc":
        raise UnsafeError(_OTHERS.get(array.dtype.kind, f"{array.dtype} is not a number"))
    return array


def _refuse_others(array: Array) -> None:
    for one in array.flat:
        if not isinstance(one, _NUMBERS):
            raise UnsafeError(f"{one!r:.50} is not a number")


def _inexact(array: Array) -> bool:
    """Whether integers may have been rounded: by numpy, as in [1, 2**63], or where floats are compared with them next."""
    return array.dtype.kind == "f" and bool(np.abs(array).max(initial=0) > 2**53)


def _integers(array: Array, dtype: np.dtype[Any]) -> Array:
    lowest, highest = np.iinfo(dtype).min, np.iinfo(dtype).max
    for one in array.flat:
        if not (lowest <= one <= highest and one == int(one)):
            raise UnsafeError(f"{one} is not a value of {dtype}")
    made: Array = np.empty(array.shape, dtype=dtype)
    made.flat[:] = [int(one) for one in array.flat]
    return made


def _strings(value: Any) -> Array:
    array = _array(value, object)
    made: Array = np.empty(array.shape, dtype=object)
    made.flat[:] = [one if type(one) is bytes else _bytes(one, value) for one in array.flat]
    return made


def _bytes(one: Any, value: Any) -> bytes:
    if isinstance(one, str):
        return one.encode("utf-8", "surrogatepass")
    if isinstance(one, bytes):
        return bytes(one)
    if isinstance(one, (list, tuple)):  # numpy takes lists for objects where they are uneven
        raise UnsafeError(uneven(value))
    raise UnsafeError(f"{one!r:.50} is neither text nor bytes")


def _array(value: Any, dtype: Any = None) -> Array:
    try:
        return np.asarray(value, dtype=dtype)
    except ValueError as error:
        raise UnsafeError(uneven(value) if isinstance(value, (list, tuple)) else str(error)) from error
