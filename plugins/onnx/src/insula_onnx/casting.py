"""Arrays of the right dtype, made of what predictors have: exact where it matters, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Unsafe(ValueError):
    """A value cannot become an array of the dtype without losing what it says; the text says why."""


def to_array(value: Any, dtype: np.dtype[Any]) -> Array:
    """Return a value as an array of any dtype; strings stay the objects that they are.

    Raises:
        Unsafe: if its lists differ in length.
    """
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    is_list = isinstance(value, (list, tuple))
    try:
        # Left to itself numpy turns [1, "a"] into strings.
        made = np.asarray(value, dtype=object if dtype.kind == "O" and is_list else None)
        # And [1, 2**63] into floats, which are not exact.
        if is_list and made.dtype.kind == "f" and dtype.kind in "iu" and np.abs(made).max(initial=0) > 2**53:
            return _integers(np.asarray(value, dtype=object), dtype, made)
        return made
    except ValueError as error:
        raise Unsafe("its lists differ in length" if "inhomogeneous" in str(error) else str(error)) from error


def _integers(objects: Array, dtype: np.dtype[Any], otherwise: Array) -> Array:
    """Return Python's integers as an array if they all are integers and in range."""
    limits = np.iinfo(dtype)
    fit = all(isinstance(one, int) and limits.min <= one <= limits.max for one in objects.flat)
    return objects.astype(dtype) if fit else otherwise


def cast(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return an array's values as another dtype.

    Numbers become floats (rounded, never infinite by overflow), whole numbers in range become integers, and 0 and 1
    bools. Text becomes strings, of bytes by UTF-8. Nothing else is taken for something else.

    Raises:
        Unsafe: if a value has no equal there.
    """
    if array.dtype == dtype and dtype.kind != "O":
        return array
    if dtype.kind == "O":
        return _strings(array)
    if array.dtype.kind == "O":
        array = _numbers(array)
    if array.dtype.kind not in "biuf":
        raise Unsafe(f"{array.dtype} is not a number")
    if dtype.kind == "f":
        return _floats(array, dtype)
    if array.dtype.kind == "f":
        _refuse_fractions(array)
    if array.dtype.kind != "b":
        _refuse_out_of_range(array, dtype)
    return array.astype(dtype)


def _floats(array: Array, dtype: np.dtype[Any]) -> Array:
    with np.errstate(all="ignore"):
        made = array.astype(dtype)
    # Only a conversion to fewer bits can overflow, and only what was finite.
    if dtype.itemsize < array.itemsize or array.dtype.kind in "iu":
        finite = np.isfinite(made)
        if not finite.all():
            lost = array[~finite & np.isfinite(array)]
            if lost.size:
                raise Unsafe(f"{_shown(lost)} is too large for {dtype}")
    return made


def _refuse_fractions(array: Array) -> None:
    for what, wrong in (("NaN", np.isnan(array)), ("infinite", np.isinf(array))):
        if wrong.any():
            raise Unsafe(f"it holds a value that is {what}")
    wrong = array != np.trunc(array)
    if wrong.any():
        raise Unsafe(f"{_shown(array[wrong])} has a fraction")


def _refuse_out_of_range(array: Array, dtype: np.dtype[Any]) -> None:
    if not array.size:
        return
    lowest, highest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    # As Python's integers, which compare exactly: 2.0**63 is not 2**63 - 1.
    for extreme in (int(array.min()), int(array.max())):
        if not lowest <= extreme <= highest:
            raise Unsafe(f"{extreme} is out of the range of {dtype}")


def _numbers(array: Array) -> Array:
    """Return an array of objects, such as a table's of several dtypes, as numbers if they all are."""
    for one in array.flat:
        if not isinstance(one, (int, float, np.number, np.bool_)):
            raise Unsafe(f"it holds {one!r:.50}, which is not a number")
    made = np.asarray(array.tolist())
    if made.dtype.kind == "O":
        raise Unsafe("it holds an integer of more than 64 bits")
    return made


def _strings(array: Array) -> Array:
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind not in "OST":
        raise Unsafe(f"{array.dtype} is not text")
    made: Array = np.array([_string(one) for one in array.flat], dtype=object)
    shaped: Array = made.reshape(array.shape)
    return shaped


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise Unsafe(f"{value!r:.50} is not UTF-8") from error
    raise Unsafe(f"it holds {value!r:.50}, which is not text")


def _shown(values: Array) -> str:
    return str(values.flat[0])
