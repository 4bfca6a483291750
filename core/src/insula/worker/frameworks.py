"""Arrays, tensors and tables of frameworks, recognised by the names of their classes: none is imported."""

from __future__ import annotations

from typing import Any


def kind_of(value: Any) -> str | None:
    """Return `ndarray`, `Tensor`, `Series` or `DataFrame` for a value of a framework that has one, else None."""
    for ancestor in type(value).__mro__:
        found = _KINDS.get((ancestor.__module__.partition(".")[0], ancestor.__name__))
        if found:
            return found
    return None


_KINDS = {
    ("numpy", "ndarray"): "ndarray",
    ("torch", "Tensor"): "Tensor",
    ("tensorflow", "Tensor"): "Tensor",
    ("tensorflow", "EagerTensor"): "Tensor",
    ("pandas", "Series"): "Series",
    ("pandas", "Index"): "Series",
    ("pandas", "DataFrame"): "DataFrame",
}


def to_python(value: Any, kind: str) -> Any:
    """Return what an array, tensor or table holds: a list by rows (a table's are dicts), or a scalar of no dimension."""
    if kind == "DataFrame":
        return value.to_dict("records")
    if kind == "Tensor":
        value = value.detach().cpu() if hasattr(value, "detach") else value.numpy()
    elif kind == "ndarray" and value.dtype.kind == "M":
        value = value.astype("datetime64[us]")  # of nanoseconds, tolist makes integers
    return value.tolist() if hasattr(value, "tolist") else value
