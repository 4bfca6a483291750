"""Shapes of inputs: whether an array has one, and whether it could have in only one way."""

from __future__ import annotations

import math
from collections.abc import Sequence

Dimension = int | str | None


class Shape:
    """The shape that a model declares for an input.

    Args:
        dimensions: a number where it is fixed, a name or None where it is not; None if any shape will do.
    """

    def __init__(self, dimensions: Sequence[Dimension] | None) -> None:
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._rank = -1 if dimensions is None else len(dimensions)
        self._fixed = tuple((axis, size) for axis, size in enumerate(dimensions or ()) if isinstance(size, int))

    def __str__(self) -> str:
        if self._dimensions is None:
            return "any"
        return f"[{', '.join('?' if one is None else str(one) for one in self._dimensions)}]"

    def allows(self, found: tuple[int, ...]) -> bool:
        """Whether an array of this shape is one that the model takes."""
        if len(found) != self._rank:
            return self._rank < 0
        return all(found[axis] == size for axis, size in self._fixed)

    def fit(self, found: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the one shape that an array of another shape must have been meant to have; None if there is doubt.

        Flat values, and one number, fill a shape in which at most one size is open; a sample fits behind a first
        dimension that is open or 1.
        """
        if self._dimensions is None:
            return None
        sizes = tuple(size if isinstance(size, int) else -1 for size in self._dimensions)
        if not sizes and math.prod(found) == 1:
            return ()
        if len(found) > 1 or (len(found) == 1 and len(sizes) == 2 and sizes[1] == found[0]):
            behind = Shape(self._dimensions[1:]).allows(found) and sizes[:1] in ((-1,), (1,))
            return (1, *found) if behind else None
        return _filled(sizes, math.prod(found))


def _filled(sizes: tuple[int, ...], count: int) -> tuple[int, ...] | None:
    """Return the sizes with the open one worked out from the number of elements."""
    known = math.prod(size for size in sizes if size >= 0)
    if sizes.count(-1) == 0:
        return sizes if known == count else None
    if sizes.count(-1) > 1 or not known or not count or count % known:
        return None
    return tuple(count // known if size < 0 else size for size in sizes)
