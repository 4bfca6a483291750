"""Whether a server has a model ready, and waiting until it has."""

from __future__ import annotations

import time
from typing import Any

import attrs
import grpc

from insula_tensorflow import messages
from insula_tensorflow.channel import Channel
from insula_tensorflow.failures import ServingError, code_of, details_of, explain
from insula_tensorflow.messages import GetModelStatusRequest
from insula_tensorflow.settings import RemoteModel

_POLL = 0.1
_PROBE = 5.0
_STATES = {
    messages.START: "is about to be loaded",
    messages.LOADING: "is being loaded",
    messages.UNLOADING: "is being unloaded",
    messages.END: "was unloaded",
}


class NotAvailable(Exception):
    """A model is not there in time; the text says what was known of it last."""


@attrs.frozen
class _Versions:
    """What a server says of the versions of a model: whether one is ready, what else is known, and what went wrong."""

    ready: bool
    told: str
    fault: str | None


def address_to(spec: Any, model: RemoteModel) -> None:
    """Fill a ModelSpec."""
    spec.name = model.name
    if model.version is not None:
        spec.version.value = model.version


def wait(channel: Channel, model: RemoteModel, label: str, deadline: float, *, reached_by: float | None = None) -> None:
    """Wait until a server has a model ready.

    A server that does not tell (it has no such call) is taken to be ready.

    Args:
        label: what messages call the model.
        deadline: as `time.monotonic()` counts.
        reached_by: when the server must have answered for the first time; None is the deadline.

    Raises:
        NotAvailable: if it is not ready in time.
        ServingError: if the server says that it never will be.
    """
    told = "no time was left to ask the server"
    reached = deadline if reached_by is None else min(reached_by, deadline)
    while (left := reached - time.monotonic()) > 0:
        try:
            versions = _ask(channel, model, min(left, _PROBE))
        except grpc.RpcError as error:
            if code_of(error) is grpc.StatusCode.UNIMPLEMENTED:
                return
            if code_of(error) not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise explain(error, label) from error
            told = _unreached(error)
        else:
            if versions.ready:
                return
            if versions.fault is not None:
                raise ServingError(f"{label}: the server could not load it: {versions.fault}")
            told, reached = versions.told, deadline
        time.sleep(max(0.0, min(_POLL, reached - time.monotonic())))
    raise NotAvailable(told)


def _ask(channel: Channel, model: RemoteModel, timeout: float) -> _Versions:
    request = GetModelStatusRequest()
    address_to(request.model_spec, model)
    return _read(channel.calls.get_status(request, timeout=timeout).model_version_status)


def _read(statuses: Any) -> _Versions:
    if any(one.state == messages.AVAILABLE for one in statuses):
        return _Versions(True, "", None)
    faults = [one.status.error_message or f"error {one.status.error_code}" for one in statuses if one.status.error_code]
    ended = statuses and all(one.state == messages.END for one in statuses)
    newest = max(statuses, key=lambda one: one.version, default=None)
    told = (
        "it has no version yet" if newest is None else f"it {_STATES.get(newest.state, f'is in state {newest.state}')}"
    )
    return _Versions(False, told, faults[0] if ended and faults else None)


def _unreached(error: grpc.RpcError) -> str:
    details = details_of(error)
    return f"the server cannot be reached: {details}" if details else "the server cannot be reached"
