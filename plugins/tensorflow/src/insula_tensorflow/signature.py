"""What a model takes and gives: its signatures, and which of them is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from insula.errors import UserError

# Where no key is given and there are several: what Cortex asked for, then what TensorFlow calls the default.
_PREFERRED = ("predict", "serving_default")
# What TensorFlow keeps for itself among the signatures: how a model is initialised.
INTERNAL = "__saved_model_"
# Stands in for the dtype of what no array can hold: sparse tensors, resources, quantised numbers.
UNHOLDABLE: np.dtype[Any] = np.dtype("V")


class SignatureError(UserError):
    """A model has no signature of the key, or several where none is named."""


@attrs.frozen
class TensorInfo:
    """One input or output of a signature.

    Args:
        name: what the signature calls it.
        dtype: numpy's; of strings it is `object`, and `UNHOLDABLE` of what numpy has no dtype for.
        shape: None is an open size; no shape at all is an unknown number of dimensions.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...] | None


@attrs.frozen
class Signature:
    """One signature of a model: its key, its inputs and outputs by name, and what TensorFlow Serving calls its method."""

    key: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    method_name: str = "tensorflow/serving/predict"

    @property
    def unholdable(self) -> list[str]:
        """The inputs and outputs that numpy cannot hold, by name."""
        return [one.name for one in (*self.inputs.values(), *self.outputs.values()) if one.dtype == UNHOLDABLE]


def choose(signatures: Mapping[str, Signature], key: str | None, model: str) -> Signature:
    """Return the signature of a key; without one the only one, else `predict`, else `serving_default`.

    Args:
        model: what messages call the model; empty if they name it already.

    Raises:
        SignatureError: if there is none, or it is not clear which is meant; it lists the keys.
    """
    signatures = {name: one for name, one in signatures.items() if not name.startswith(INTERNAL)}
    of, keys = f"{model}: " if model else "", ", ".join(sorted(signatures))
    if not signatures:
        raise SignatureError(f"{of}it has no signature; export it with one (tf.saved_model.save(…, signatures=…))")
    if key is not None:
        if key not in signatures:
            raise SignatureError(f"{of}it has no signature {key!r}; its signatures are {keys}")
        return signatures[key]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    for preferred in _PREFERRED:
        if preferred in signatures:
            return signatures[preferred]
    raise SignatureError(f"{of}it has several signatures, name one of them as signature_key: {keys}")
