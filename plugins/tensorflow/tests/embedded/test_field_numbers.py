"""The messages of the light client against the official ones."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import any_pb2, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2, predict_pb2

from insula_tensorflow import datatypes, messages

OFFICIAL = {
    "Dim": tensor_shape_pb2.TensorShapeProto.Dim,
    "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
    "TensorProto": tensor_pb2.TensorProto,
    "Int64Value": wrappers_pb2.Int64Value,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "TensorInfo": meta_graph_pb2.TensorInfo,
    "SignatureDef": meta_graph_pb2.SignatureDef,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "Any": any_pb2.Any,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "StatusProto": get_model_status_pb2.ModelVersionStatus.DESCRIPTOR.fields_by_name["status"].message_type,
    "ModelVersionStatus": get_model_status_pb2.ModelVersionStatus,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
}
NAMES = [block.partition("\n")[0] for block in messages.SCHEMA.strip().split("\n\n")]


def described(fields: Any) -> dict[str, Any]:
    return {name: field(one) for name, one in fields.items()}


def field(one: Any) -> tuple[Any, ...]:
    # Enums are numbers on the wire, and are read as such.
    kind = FieldDescriptor.TYPE_INT32 if one.type == FieldDescriptor.TYPE_ENUM else one.type
    entry = (
        one.message_type if kind == FieldDescriptor.TYPE_MESSAGE and one.message_type.GetOptions().map_entry else None
    )
    inner = described(entry.fields_by_name) if entry else one.message_type and one.message_type.name
    # The one is deprecated, the other not yet in older releases.
    repeated = one.is_repeated if hasattr(one, "is_repeated") else one.label == FieldDescriptor.LABEL_REPEATED
    return one.number, kind, bool(repeated), inner


def test_every_message_is_compared() -> None:
    assert set(NAMES) == set(OFFICIAL)


@pytest.mark.parametrize("name", NAMES)
def test_fields_have_the_official_numbers_and_types(name: str) -> None:
    ours = messages._POOL.FindMessageTypeByName(f"{messages._PACKAGE}.{name}")
    official = getattr(OFFICIAL[name], "DESCRIPTOR", OFFICIAL[name])
    theirs = described(official.fields_by_name)
    for key, one in described(ours.fields_by_name).items():
        assert one == theirs[key], key


def test_data_types_have_the_official_numbers() -> None:
    for kind in datatypes.BY_NUMBER.values():
        assert types_pb2.DataType.Name(kind.number) == kind.name
    for number, name in datatypes._UNHELD.items():
        assert types_pb2.DataType.Name(number) == name


def test_every_data_type_is_known() -> None:
    # From 101 on are references, which no tensor of a request has; what is newer is told by its number.
    official = {number for number in types_pb2.DataType.values() if 0 < number <= 25}
    assert official == (set(datatypes.BY_NUMBER) | set(datatypes._UNHELD)) - {29, 30}


def test_states_have_the_official_numbers() -> None:
    states = get_model_status_pb2.ModelVersionStatus.State
    for name in ("START", "LOADING", "AVAILABLE", "UNLOADING", "END"):
        assert states.Value(name) == getattr(messages, name)


class Names:
    """A channel that writes down which methods the official stubs call."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def unary_unary(self, name: str, *_: object, **__: object) -> None:
        self.found.add(name)


def test_methods_have_the_official_names() -> None:
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    names = Names()
    prediction_service_pb2_grpc.PredictionServiceStub(names)
    model_service_pb2_grpc.ModelServiceStub(names)
    assert {messages.PREDICT, messages.GET_METADATA, messages.GET_STATUS} <= names.found
