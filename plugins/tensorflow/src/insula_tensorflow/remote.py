"""A model on a server that speaks the API of TensorFlow Serving, by gRPC and without TensorFlow."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from insula.errors import UserError
from insula_tensorflow import availability, metadata, wire
from insula_tensorflow.availability import NotAvailable
from insula_tensorflow.channel import Channel
from insula_tensorflow.failures import ServerUnreachableError, ServingError, code_of, explain, lost
from insula_tensorflow.messages import GetModelMetadataRequest, PredictRequest
from insula_tensorflow.metadata import Served
from insula_tensorflow.naming import called
from insula_tensorflow.settings import RemoteModel, ServingSettings
from insula_tensorflow.signature import Signature

Array = np.ndarray[Any, Any]

_METADATA_TIMEOUT = 60.0
# A call that was lost with its server is made again this often: it may be what the server dies of.
_LOSSES = 2
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 8.0  # seconds
# How long nobody may answer at the address before the call is given up.
_PATIENCE = 30.0


class RemoteBackend:
    """One model on a server; may be used from several threads.

    Args:
        channel: to the server.
        model: its name there, and its version.
        settings: the time limit of calls, and how often they are made again.
        served: its signatures.
        label: what messages call it.
    """

    def __init__(
        self, channel: Channel, model: RemoteModel, settings: ServingSettings, served: Mapping[str, Served], label: str
    ) -> None:
        self._channel = channel
        self._model = model
        self._settings = settings
        self._served = served
        self._label = label

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """Its signatures by key."""
        return {key: served.signature for key, served in self._served.items()}

    def predict(self, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run a signature on the server.

        Args:
            inputs: by name, arrays of the dtypes and shapes of the signature.

        Returns:
            The outputs by name: writable arrays, bfloat16 as float32, strings as bytes in arrays of objects.

        Raises:
            ServingError: if the server does not answer, or with an error; see `failures`.
            WireError, UnheldTypeError: if its answer, or an input, is nothing that an array could be.
        """
        response = self._call(self._request(signature, inputs))
        return {name: wire.decode(proto) for name, proto in response.outputs.items()}

    def _request(self, signature: Signature, inputs: Mapping[str, Array]) -> Any:
        request = PredictRequest()
        availability.address_to(request.model_spec, self._model)
        request.model_spec.signature_name = signature.key
        served = self._served.get(signature.key)
        for name, array in inputs.items():
            wire.encode(array, request.inputs[name], served.kinds.get(name) if served else None)
        return request

    def _call(self, request: Any) -> Any:
        losses = 0
        for delay in self._delays():
            try:
                return self._channel.calls.predict(request, timeout=self._settings.timeout)
            except grpc.RpcError as error:
                losses += lost(error)
                if code_of(error) is not grpc.StatusCode.UNAVAILABLE or delay is None or losses > _LOSSES:
                    raise explain(error, self._label) from error
                self._recover(error, delay)
        raise AssertionError("the last delay is None")

    def _delays(self) -> Iterator[float | None]:
        """Yield how long to wait after each failed call; None after the last one."""
        for turn in range(self._settings.retries):
            yield min(_FIRST_DELAY * 2**turn, _LONGEST_DELAY)
        yield None

    def _recover(self, error: grpc.RpcError, delay: float) -> None:
        """Wait for a server to come back and to have the model again."""
        # Not all at once: what ends the server would take the calls of other workers with it again.
        time.sleep(delay * random.uniform(0.2, 1.0))
        now = time.monotonic()
        deadline, reached_by = now + self._settings.timeout, now + _PATIENCE
        try:
            availability.wait(self._channel, self._model, self._label, deadline, reached_by=reached_by)
        except NotAvailable as told:
            raise ServerUnreachableError(f"{self._label}: {told}") from error

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


def connect(
    address: str, model: RemoteModel, settings: ServingSettings, deadline: float, *, project: Path
) -> RemoteBackend:
    """Connect to a server, and wait until it has a model ready.

    Args:
        address: `host:port`.
        model: its name there, and its version.
        deadline: until when to wait, as `time.monotonic()` counts.
        project: what the paths of TLS files start from.

    Raises:
        UserError: if the server does not have the model, or not in time, or a TLS file cannot be read.
    """
    label = f"{called(model.name)} at {address}"
    channel = Channel(address, settings.tls, project)
    try:
        availability.wait(channel, model, label, deadline)
        return RemoteBackend(channel, model, settings, _signatures(channel, model), label)
    except NotAvailable as told:
        channel.close()
        raise UserError(f"{label}: {told}; it was waited for until startup_timeout") from told
    except (ServingError, grpc.RpcError) as error:
        channel.close()
        raise UserError(str(error if isinstance(error, ServingError) else explain(error, label))) from error


def _signatures(channel: Channel, model: RemoteModel) -> Mapping[str, Served]:
    request = GetModelMetadataRequest(metadata_field=[metadata.FIELD])
    availability.address_to(request.model_spec, model)
    return metadata.parse(channel.calls.get_metadata(request, timeout=_METADATA_TIMEOUT))
