"""Outputs as arrays that convert to Python's numbers whatever their dimensions, as predictors written for Cortex expect."""

from __future__ import annotations

from typing import Any, SupportsIndex, cast

import numpy as np


class OutputArray(np.ndarray[Any, Any]):
    """An array of which one element, in any number of dimensions, is a number: `labels[int(output["class_ids"][0])]`.

    numpy converts arrays without dimensions only.
    """

    def __int__(self) -> int:
        return int(self._only("int"))

    def __float__(self) -> float:
        return float(self._only("float"))

    def __complex__(self) -> complex:
        return complex(self._only("complex"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"an array of {self.dtype} is no index")
        return cast("SupportsIndex", self._only("an index")).__index__()

    def _only(self, wanted: str) -> Any:
        if self.size != 1:
            raise TypeError(f"an array of shape {list(self.shape)} is not one element, so it cannot become {wanted}")
        return self.item()
