"""Where a model runs: in this process, or on a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from insula_tensorflow.signature import Signature

Array = np.ndarray[Any, Any]


class Backend(Protocol):
    """One model that runs somewhere."""

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """Its signatures by key."""

    def predict(self, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run a signature.

        Args:
            inputs: by name, arrays of the dtypes and shapes of the signature; strings are bytes in arrays of objects.

        Returns:
            The outputs by name, strings as bytes in arrays of objects.
        """

    def close(self) -> None:
        """Give back what it holds; it runs no more."""
