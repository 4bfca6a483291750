"""What a server answers in place of a prediction, as errors that say what to do.

ServingError                    a server did not predict
├── ServerUnreachableError      nobody answers, or the connection broke
├── ServerTimeoutError          no answer in time
├── ModelNotServedError         it has no such model, version or signature
├── InputRefusedError           the model does not take these inputs
└── ServerExhaustedError        it has no memory or queue for them, or they are too large a message
"""

from __future__ import annotations

import re
from typing import Any

import grpc


class ServingError(RuntimeError):
    """A server did not predict; the text names model and address."""


class ServerUnreachableError(ServingError, ConnectionError):
    """Nobody answers at the address, or the connection broke, more often than calls are made again."""


class ServerTimeoutError(ServingError, TimeoutError):
    """The server did not answer in time."""


class ModelNotServedError(ServingError, LookupError):
    """The server has no such model, version or signature."""


class InputRefusedError(ServingError, ValueError):
    """The model does not take these inputs."""


class ServerExhaustedError(ServingError):
    """The server has no memory or queue for a request, or the message is larger than it allows."""


_KINDS: dict[grpc.StatusCode, tuple[type[ServingError], str]] = {
    grpc.StatusCode.UNAVAILABLE: (ServerUnreachableError, "the server cannot be reached"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        ServerTimeoutError,
        "the server did not answer in time (tensorflow_serving.timeout)",
    ),
    grpc.StatusCode.NOT_FOUND: (ModelNotServedError, "the server does not have it"),
    grpc.StatusCode.INVALID_ARGUMENT: (InputRefusedError, "the server refuses the inputs"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (ServerExhaustedError, "the server has no room for the request"),
}


_CUT = re.compile("socket|stream removed|connect|reset|broken pipe|goaway|transport", re.IGNORECASE)


def explain(error: grpc.RpcError, of: str) -> ServingError:
    """Return the error that tells what a call ended with.

    Args:
        of: the model and its address.
    """
    code, details = code_of(error), details_of(error)
    kind, told = _KINDS.get(code, (ServingError, f"the server failed ({code.name})"))
    if kind is ServerExhaustedError and "larger than max" in details:
        told = "the batch is a larger message than the server allows; make batches smaller, or raise its limit"
    return kind(f"{of}: {told}: {details}" if details else f"{of}: {told}")


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """Return the status that a call ended with."""
    code: grpc.StatusCode = _call(error).code()
    return code


def details_of(error: grpc.RpcError) -> str:
    """Return the text that came with it."""
    return " ".join((_call(error).details() or "").split())


def lost(error: grpc.RpcError) -> bool:
    """Whether a call seems to have been cut off, and not refused or never sent: gRPC has one code for all three."""
    if code_of(error) is not grpc.StatusCode.UNAVAILABLE:
        return False
    details = details_of(error)
    return _CUT.search(details) is not None and "failed to connect" not in details


def _call(error: grpc.RpcError) -> Any:
    # What grpc raises is both the error and the call that failed; its stated type is the error's alone.
    return error
