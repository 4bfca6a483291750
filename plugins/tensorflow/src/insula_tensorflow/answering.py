"""How insula's server answers: requests in, arrays through a model, responses out.

The functions take and fill messages of any class with the right fields: the official ones, or those of `messages`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
import numpy as np

from insula_tensorflow import messages, metadata, wire
from insula_tensorflow.backend import Array, Backend
from insula_tensorflow.datatypes import UnheldTypeError
from insula_tensorflow.hosting import Host, HostedModel
from insula_tensorflow.signature import Signature, SignatureError, TensorInfo, choose

_LOG = logging.getLogger(__name__)
_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class Refusal(Exception):
    """A request that gets an error in place of an answer."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def status(host: Host, request: Any, response: Any) -> None:
    """Fill a GetModelStatusResponse."""
    model = _model(host, request.model_spec)
    version = response.model_version_status.add()
    version.version, version.state = model.version, model.state
    version.status.SetInParent()
    if model.fault is not None:
        version.status.error_code, version.status.error_message = grpc.StatusCode.UNKNOWN.value[0], model.fault


def signatures(host: Host, request: Any, response: Any) -> bytes:
    """Fill a GetModelMetadataResponse, but for the SignatureDefMap, of which the bytes are returned."""
    unknown = sorted(set(request.metadata_field) - {metadata.FIELD})
    if unknown or not request.metadata_field:
        named = ", ".join(unknown) or "none"
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"metadata_field names {named}; there is {metadata.FIELD}")
    model = _model(host, request.model_spec)
    backend = _backend(model)
    response.model_spec.name, response.model_spec.version.value = model.name, model.version
    described: bytes = metadata.describe(backend.signatures).SerializeToString()
    return described


def predict(host: Host, request: Any, response: Any) -> None:
    """Fill a PredictResponse.

    Raises:
        Refusal: if the model, its signature or its inputs are not there or not right, or the model fails.
    """
    model = _model(host, request.model_spec)
    backend = _backend(model)
    signature = _signature(backend, request.model_spec.signature_name, model.name)
    names = _filtered(signature, list(request.output_filter))
    inputs = _inputs(signature, request.inputs)
    outputs = _run(backend, signature, inputs)
    for name in names:
        wire.encode(outputs[name], response.outputs[name], typed=host.settings.typed_values)
    spec = response.model_spec
    spec.name, spec.version.value, spec.signature_name = model.name, model.version, signature.key


# ------------------------------------------------------------------------------------------------ what is meant


def _model(host: Host, spec: Any) -> HostedModel:
    model = host.models.get(spec.name)
    if model is None:
        raise Refusal(grpc.StatusCode.NOT_FOUND, f"there is no model {spec.name!r}; there are {', '.join(host.models)}")
    # OpenVINO's client, for one, sends 0 where it means the latest.
    if spec.version.value not in (0, model.version):
        told = f"model {spec.name} has no version {spec.version.value}, but {model.version}"
        raise Refusal(grpc.StatusCode.NOT_FOUND, told)
    return model


def _backend(model: HostedModel) -> Backend:
    if model.state == messages.END:
        told = f"model {model.name} could not be loaded: {model.fault}"
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, told)
    if model.backend is None:
        raise Refusal(grpc.StatusCode.UNAVAILABLE, f"model {model.name} is being loaded")
    return model.backend


def _signature(backend: Backend, key: str, model: str) -> Signature:
    try:
        found = choose(backend.signatures, key or None, f"model {model}")
    except SignatureError as error:
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from error
    if found.unholdable:
        held = ", ".join(found.unholdable)
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, f"signature {found.key}: numpy has no dtype for {held}")
    return found


def _filtered(signature: Signature, wanted: list[str]) -> list[str]:
    unknown = sorted(set(wanted) - set(signature.outputs))
    if unknown:
        outputs = ", ".join(signature.outputs)
        _refuse(f"output_filter names {', '.join(unknown)}; the outputs are {outputs}")
    return wanted or list(signature.outputs)


# ------------------------------------------------------------------------------------------------ inputs


def _inputs(signature: Signature, given: Mapping[str, Any]) -> dict[str, Array]:
    for what, names in (("miss", set(signature.inputs) - set(given)), ("name", set(given) - set(signature.inputs))):
        if names:
            _refuse(f"the inputs {what} {', '.join(sorted(names))}; they are {', '.join(signature.inputs)}")
    return {name: _input(info, given[name]) for name, info in signature.inputs.items()}


def _input(info: TensorInfo, proto: Any) -> Array:
    try:
        array = wire.decode(proto)
    except (wire.WireError, UnheldTypeError) as error:
        _refuse(f"input {info.name}: {error}", error)
    if array.dtype != info.dtype:
        _refuse(f"input {info.name} is {_shown(array.dtype)} and must be {_shown(info.dtype)}")
    if not _fits(array.shape, info.shape):
        sizes = ", ".join("?" if size is None else str(size) for size in info.shape or ())
        _refuse(f"input {info.name} has shape {list(array.shape)} and must have [{sizes}]")
    return array


def _shown(dtype: np.dtype[Any]) -> str:
    return "string" if dtype.kind == "O" else str(dtype)


def _fits(found: tuple[int, ...], declared: tuple[int | None, ...] | None) -> bool:
    if declared is None:
        return True
    pairs = zip(found, declared, strict=False)
    return len(found) == len(declared) and all(size in (None, one) for one, size in pairs)


def _refuse(told: str, cause: Exception | None = None) -> NoReturn:
    raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, told) from cause


# ------------------------------------------------------------------------------------------------ the run


def _run(backend: Backend, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
    try:
        return backend.predict(signature, inputs)
    except MemoryError as error:
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "there is no memory left") from error
    except Exception as error:
        # TensorFlow's errors have the codes of gRPC; of others the log has all.
        code = _CODES.get(getattr(error, "error_code", -1), grpc.StatusCode.INTERNAL)
        if code is grpc.StatusCode.INTERNAL:
            _LOG.exception("a prediction failed")
        if code is grpc.StatusCode.UNAVAILABLE:
            code = grpc.StatusCode.INTERNAL  # clients would take it for a server that comes back
        raise Refusal(code, f"{type(error).__name__}: {_first_lines(error)}") from error


def _first_lines(error: Exception) -> str:
    # Behind the first lines TensorFlow tells where in its graph it was, at any length.
    told = str(getattr(error, "message", "") or error)
    return told[:2000]
