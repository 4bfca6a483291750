"""Arrays as TensorProto, and back.

A TensorProto carries its values either as the bytes of the array (`tensor_content`) or one by one (`float_val` and so on);
TensorFlow Serving answers in the second way unless it is told otherwise. The functions take messages of any class with the
fields of TensorProto, so that they serve with the official ones too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from insula_tensorflow.datatypes import BFLOAT16, STRING, DataType, of_dtype, of_number

Array = np.ndarray[Any, Any]


# Fields of numbers that have a fixed size on the wire.
_FIXED = ("float_val", "double_val", "scomplex_val", "dcomplex_val")


class WireError(ValueError):
    """A TensorProto says nothing that an array could be, or an array cannot be one."""


# ------------------------------------------------------------------------------------------------ array to message


def encode(array: Array, proto: Any, kind: DataType | None = None, *, typed: bool = False) -> None:
    """Write an array into an empty TensorProto.

    Args:
        array: of any dtype that TensorFlow has; strings are str (as UTF-8) or bytes.
        kind: the type to send; None takes that of the array. Only DT_BFLOAT16 takes another one, of floats, and rounds.
        typed: whether to write values one by one; strings always are.

    Raises:
        UnheldTypeError: if TensorFlow has no such type.
        WireError: if the array is of another type, or a string is none.
    """
    kind = _agreed(array, kind)
    proto.dtype = kind.number
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if not array.shape:
        proto.tensor_shape.SetInParent()
    if kind is STRING:
        proto.string_val.extend(map(_bytes, array.ravel().tolist()))
        return
    content = _rounded(array) if kind is BFLOAT16 else array.astype(kind.dtype, copy=False)
    if not typed:
        proto.tensor_content = content.tobytes()
    elif kind.field in _FIXED:
        _pack(proto, kind.field, content.tobytes())
    else:
        getattr(proto, kind.field).extend(_values(content, kind))


def _agreed(array: Array, kind: DataType | None) -> DataType:
    own = of_dtype(array.dtype)
    if kind is not None and kind is not own and not (kind is BFLOAT16 and array.dtype.kind == "f"):
        raise WireError(f"an array of {array.dtype} is no {kind.name}")
    return kind or own


def _values(content: Array, kind: DataType) -> Any:
    flat = np.ascontiguousarray(content).ravel()
    return (flat if kind.raw is None else flat.view(kind.raw)).tolist()


def _pack(proto: Any, field: str, content: bytes) -> None:
    """Fill a field of floats with the bytes that they have on the wire: thirty times as fast as number by number."""
    number = proto.DESCRIPTOR.fields_by_name[field].number
    proto.MergeFromString(_written(number << 3 | 2) + _written(len(content)) + content)


def _written(varint: int) -> bytes:
    made = bytearray()
    while varint > 0x7F:
        made.append(varint & 0x7F | 0x80)
        varint >>= 7
    return bytes((*made, varint))


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise WireError(f"a tensor of strings cannot hold {value!r:.50}")


def _rounded(array: Array) -> Array:
    """Return the upper halves of float32, rounded to nearest, ties to even."""
    wide = np.ascontiguousarray(array, dtype=np.float32)
    bits = wide.view(np.uint32)
    lowest = (bits >> np.uint32(16)) & np.uint32(1)
    upper = ((bits + np.uint32(0x7FFF) + lowest) >> np.uint32(16)).astype(np.uint16)
    # Rounding could carry a NaN over to infinity, or to zero.
    upper[np.isnan(wide)] = 0x7FC0
    shaped: Array = upper.reshape(array.shape)
    return shaped


# ------------------------------------------------------------------------------------------------ message to array


def decode(proto: Any) -> Array:
    """Return the array that a TensorProto holds, writable; strings are bytes in an array of objects.

    bfloat16 becomes float32, which holds its values exactly.

    Raises:
        UnheldTypeError: if numpy has no dtype for it.
        WireError: if its values do not fill its shape.
    """
    kind = of_number(proto.dtype)
    shape = _shape(proto.tensor_shape)
    count = math.prod(shape)
    content: bytes = proto.tensor_content
    if kind is STRING:
        return _strings(content, proto.string_val, count).reshape(shape)
    flat = _from_bytes(content, kind, count) if content else _from_values(getattr(proto, kind.field), kind, count)
    if kind is BFLOAT16:
        flat = (flat.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return flat.reshape(shape)


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = tuple(dim.size for dim in shape.dim)
    if shape.unknown_rank or any(size < 0 for size in sizes):
        raise WireError(f"a tensor has an unknown shape: {'?' if shape.unknown_rank else list(sizes)}")
    return sizes


def _from_bytes(content: bytes, kind: DataType, count: int) -> Array:
    expected = count * kind.dtype.itemsize
    if len(content) != expected:
        raise WireError(f"a tensor of {count} {kind.name} has {len(content)} bytes in place of {expected}")
    # A copy, since the bytes are read-only, and predictors change what they get.
    return np.frombuffer(content, kind.dtype).astype(kind.dtype.newbyteorder("="), copy=True)


def _from_values(field: Any, kind: DataType, count: int) -> Array:
    values: Array = np.array(field, dtype=kind.raw or kind.dtype.newbyteorder("="))
    if kind.raw is not None:
        if len(values) * kind.raw.itemsize % kind.dtype.itemsize:
            raise WireError(f"a tensor of {kind.name} has an odd number of parts: {len(values)}")
        values = values.view(kind.dtype.newbyteorder("="))
    return _filled(values, kind, count)


def _filled(values: Array, kind: DataType, count: int) -> Array:
    """Return as many values as the shape has: what is left out at the end is the last one again, of none zeros."""
    if len(values) == count:
        return values
    if len(values) > count:
        raise WireError(f"a tensor of {count} {kind.name} has {len(values)} values")
    filled = np.zeros(count, dtype=values.dtype)
    if len(values):
        filled[: len(values)] = values
        filled[len(values) :] = values[-1]
    return filled


# ------------------------------------------------------------------------------------------------ strings


def _strings(content: bytes, field: Any, count: int) -> Array:
    values = list(_unpacked(content, count)) if content else list(field)
    if len(values) > count:
        raise WireError(f"a tensor of {count} DT_STRING has {len(values)} values")
    values += [values[-1] if values else b""] * (count - len(values))
    made = np.empty(count, dtype=object)
    made[:] = values
    return made


def _unpacked(content: bytes, count: int) -> Iterator[bytes]:
    """Yield strings that were packed into bytes: first all lengths, as varints, then all texts."""
    lengths, at = [], 0
    for _ in range(count):
        length, at = _varint(content, at)
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise WireError(f"a tensor of {count} DT_STRING has {len(content)} bytes in place of {at + sum(lengths)}")
    for length in lengths:
        yield content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content) and shift < 64:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise WireError("the lengths of a tensor of strings are cut off")
