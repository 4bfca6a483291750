"""A server without TensorFlow: the answers of insula's own, on models that are functions of arrays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from insula_tensorflow import answering, messages
from insula_tensorflow.answering import Refusal
from insula_tensorflow.hosting import Host, HostSettings, ModelPlace
from insula_tensorflow.remote import RemoteBackend, connect
from insula_tensorflow.settings import RemoteModel, ServingSettings
from insula_tensorflow.signature import Signature, TensorInfo

Array = np.ndarray[Any, Any]
Function = Callable[[Mapping[str, Array]], dict[str, Array]]


class Echo:
    """A model of one signature that answers with its input, or with what a function makes of its inputs."""

    def __init__(
        self, dtype: Any = "float32", shape: tuple[int | None, ...] | None = None, function: Function | None = None
    ) -> None:
        x, y = TensorInfo("x", np.dtype(dtype), shape), TensorInfo("y", np.dtype(dtype), shape)
        self.signatures = {"serving_default": Signature("serving_default", {"x": x}, {"y": y})}
        self.calls: list[Mapping[str, Array]] = []
        self._function = function or (lambda inputs: {"y": inputs["x"]})

    def predict(self, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        self.calls.append(inputs)
        return self._function(inputs)

    def close(self) -> None:
        self.calls.clear()


class LightServer(grpc.GenericRpcHandler):
    """A server of models by name on 127.0.0.1.

    `before` are functions that are called, and taken off, before a call is answered; each may raise a `Refusal`.
    """

    def __init__(self, port: int = 0, typed: bool = False, credentials: Any = None, **models: Any) -> None:
        self.host = Host(HostSettings(tuple(ModelPlace(name, f"/{name}/1") for name in models), typed_values=typed))
        for name, backend in models.items():
            self.host.models[name].backend, self.host.models[name].state = backend, messages.AVAILABLE
        self.before: list[Callable[[], None]] = []
        self.without: set[str] = set()
        self.ended = threading.Event()
        options = (("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0))
        self._server = grpc.server(ThreadPoolExecutor(16), (self,), options=options)
        address = f"127.0.0.1:{port}"
        if credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, credentials)
        self._server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def service(self, details: Any) -> Any:
        found = {
            messages.PREDICT: (messages.PredictRequest, messages.PredictResponse, answering.predict),
            messages.GET_METADATA: (messages.GetModelMetadataRequest, messages.GetModelMetadataResponse, _signatures),
            messages.GET_STATUS: (messages.GetModelStatusRequest, messages.GetModelStatusResponse, answering.status),
        }.get(details.method)
        if found is None or details.method in self.without:
            return None
        request, response, answer = found
        return grpc.unary_unary_rpc_method_handler(
            lambda asked, context: self._answer(answer, asked, response(), context, details.method),
            request_deserializer=request.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def _answer(self, answer: Any, request: Any, response: Any, context: Any, method: str) -> Any:
        try:
            if method == messages.PREDICT and self.before:
                self.before.pop(0)()
            answer(self.host, request, response)
        except Refusal as refusal:
            context.abort(refusal.code, refusal.details)
        return response

    def refuse(self, code: grpc.StatusCode, details: str = "because", times: int = 1) -> None:
        """Answer the next predictions with an error."""

        def refusing() -> None:
            raise Refusal(code, details)

        self.before += [refusing] * times

    def stop(self) -> None:
        self._server.stop(0).wait(30)
        self.ended.set()


def _signatures(host: Host, request: Any, response: Any) -> None:
    response.metadata["signature_def"].value = answering.signatures(host, request, response)


@contextmanager
def serving(*, typed: bool = False, **models: Any) -> Iterator[LightServer]:
    server = LightServer(typed=typed, **models)
    try:
        yield server
    finally:
        server.stop()


def reach(address: str, name: str = "m", seconds: float = 30, project: Path = Path(), **settings: Any) -> RemoteBackend:
    """Connect to a model."""
    version = settings.pop("version", None)
    given = ServingSettings(address=address, models=(name,), **settings)
    return connect(address, RemoteModel(name, version=version), given, time.monotonic() + seconds, project=project)


def run(backend: RemoteBackend, array: Array, **more: Array) -> Array:
    """Run the only signature on `x`, for `y`."""
    (signature,) = backend.signatures.values()
    return backend.predict(signature, {"x": array, **more})["y"]


def strings(*values: bytes, shape: Sequence[int] | None = None) -> Array:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made if shape is None else made.reshape(shape)
