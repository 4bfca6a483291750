"""Signatures as a server tells them, and as insula's own server does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula_tensorflow import messages
from insula_tensorflow.datatypes import DataType, UnheldTypeError, of_dtype, of_number
from insula_tensorflow.signature import INTERNAL, UNHOLDABLE, Signature, TensorInfo

FIELD = "signature_def"


@attrs.frozen
class Served:
    """A signature that a server tells of: the signature, and the type in which it wants each input that arrays can be."""

    signature: Signature
    kinds: Mapping[str, DataType]


def parse(response: Any) -> dict[str, Served]:
    """Return the signatures in a GetModelMetadataResponse by key."""
    described = messages.SignatureDefMap.FromString(response.metadata[FIELD].value).signature_def
    return {key: _served(key, described[key]) for key in sorted(described) if not key.startswith(INTERNAL)}


def _served(key: str, described: Any) -> Served:
    inputs, outputs = _infos(described.inputs), _infos(described.outputs)
    kinds = {name: of_number(described.inputs[name].dtype) for name, one in inputs.items() if one.dtype != UNHOLDABLE}
    return Served(Signature(key, inputs, outputs, described.method_name), kinds)


def _infos(described: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {name: _info(name, described[name]) for name in sorted(described)}


def _info(name: str, told: Any) -> TensorInfo:
    try:
        held = of_number(told.dtype).held
    except UnheldTypeError:
        return TensorInfo(name, UNHOLDABLE, None)
    if told.tensor_shape.unknown_rank:
        return TensorInfo(name, held, None)
    return TensorInfo(name, held, tuple(None if dim.size < 0 else dim.size for dim in told.tensor_shape.dim))


def describe(signatures: Mapping[str, Signature]) -> Any:
    """Return signatures as a SignatureDefMap."""
    described = messages.SignatureDefMap()
    for key, signature in signatures.items():
        one = described.signature_def[key]
        one.method_name = signature.method_name
        for infos, told in ((signature.inputs, one.inputs), (signature.outputs, one.outputs)):
            for info in infos.values():
                _describe(info, told[info.name])
    return described


def _describe(info: TensorInfo, told: Any) -> None:
    told.name = info.name
    if info.dtype != UNHOLDABLE:
        told.dtype = of_dtype(info.dtype).number
    if info.shape is None:
        told.tensor_shape.unknown_rank = True
        return
    told.tensor_shape.SetInParent()
    for size in info.shape:
        told.tensor_shape.dim.add().size = -1 if size is None else size
