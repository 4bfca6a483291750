"""The types of ONNX values, and the numpy dtypes that hold their elements."""

from __future__ import annotations

import re

import attrs

_DTYPES = {
    "float": "float32",
    "double": "float64",
    "string": "object",
    **{name: name for name in ("float16", "int8", "int16", "int32", "int64", "bool")},
    **{name: name for name in ("uint8", "uint16", "uint32", "uint64")},
}
_TENSOR = re.compile(r"tensor\((\w+)\)")


@attrs.frozen
class ElementType:
    """The type of an input or output, such as `tensor(float)` or `optional(tensor(int64))`.

    Args:
        written: as ONNX Runtime writes it.
        dtype: the name of the numpy dtype of a tensor's elements; None if numpy has none, or it is no tensor.
        optional: whether None may be given.
        tensor: whether it is a tensor (an optional one too).
    """

    written: str
    dtype: str | None
    optional: bool
    tensor: bool

    @classmethod
    def parse(cls, written: str) -> ElementType:
        """Return the type of which ONNX Runtime's word this is."""
        optional = written.startswith("optional(")
        inner = written[len("optional(") : -1] if optional else written
        match = _TENSOR.fullmatch(inner)
        dtype = _DTYPES.get(match[1]) if match else None
        return cls(written, dtype, optional, match is not None)

    @property
    def unholdable(self) -> bool:
        """Whether its elements are such that no numpy array can hold them, as bfloat16."""
        found = re.findall(_TENSOR, self.written)
        return any(element not in _DTYPES for element in found)
