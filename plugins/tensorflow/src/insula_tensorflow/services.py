"""The gRPC services of insula's own server: at once by light messages, later by TensorFlow Serving's own stubs.

Importing TensorFlow takes seconds. Until then a client that asks for a model's status is told that it will come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc

from insula_tensorflow import answering, messages
from insula_tensorflow.answering import Refusal
from insula_tensorflow.hosting import Host

_HEADER = 7 * 1024


class Methods(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """The methods of a running server, which may be replaced; to the stubs it is the server that they add themselves to."""

    def __init__(self, host: Host) -> None:
        self._handlers: Sequence[grpc.GenericRpcHandler] = (_Early(host),)
        self._added: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Take the methods of one service, for `replace`."""
        self._added.extend(handlers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Any) -> None:
        """Take nothing: newer stubs name the same methods once more here."""

    def replace(self) -> None:
        """Answer with the methods that were added from now on."""
        self._handlers = tuple(self._added)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Return the method of a call; None if there is none."""
        return next((found for one in self._handlers if (found := one.service(details)) is not None), None)


class _Early(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    def __init__(self, host: Host) -> None:
        self._host = host

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method == messages.GET_STATUS:
            return grpc.unary_unary_rpc_method_handler(
                self._status,
                request_deserializer=messages.GetModelStatusRequest.FromString,
                response_serializer=lambda response: response.SerializeToString(),
            )
        if details.method in (messages.PREDICT, messages.GET_METADATA):
            return grpc.unary_unary_rpc_method_handler(_not_yet)
        return None

    def _status(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = messages.GetModelStatusResponse()
        _answer(context, answering.status, self._host, request, response)
        return response


def _not_yet(request: bytes, context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAVAILABLE, "TensorFlow is being imported")


def _answer(context: grpc.ServicerContext, answer: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return answer(*arguments)
    except Refusal as refusal:
        context.abort(refusal.code, _cut(refusal.details))


def _cut(details: str) -> str:
    # What TensorFlow writes may be longer than the 8 KiB that gRPC's headers take; there a byte that is not ASCII takes three.
    return details.encode(errors="replace")[: _HEADER // 3].decode(errors="ignore")


def add_official(host: Host, methods: Methods) -> None:
    """Add the services on the stubs of tensorflow-serving-api, which imports TensorFlow."""
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]  # the stubs have no types
        def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
            response = get_model_status_pb2.GetModelStatusResponse()
            _answer(context, answering.status, host, request, response)
            return response

    class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
        def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
            response = predict_pb2.PredictResponse()
            _answer(context, answering.predict, host, request, response)
            return response

        def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            described = _answer(context, answering.signatures, host, request, response)
            signatures = get_model_metadata_pb2.SignatureDefMap.FromString(described)
            response.metadata["signature_def"].Pack(signatures)
            return response

    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(), methods)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(), methods)
    methods.replace()
