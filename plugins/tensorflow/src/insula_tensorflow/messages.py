"""The messages of TensorFlow Serving that a client needs, without TensorFlow.

The official stubs import all of TensorFlow. These messages have the same field numbers, which is all that counts on the
wire, and live in a descriptor pool of their own, so that one process may hold both. Enums are numbers here.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
GET_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"

# ModelVersionStatus.State
START, LOADING, AVAILABLE, UNLOADING, END = 10, 20, 30, 40, 50

SCHEMA = """
Dim
    int64 size = 1
    string name = 2

TensorShapeProto
    repeated Dim dim = 2
    bool unknown_rank = 3

TensorProto
    int32 dtype = 1
    TensorShapeProto tensor_shape = 2
    bytes tensor_content = 4
    repeated float float_val = 5
    repeated double double_val = 6
    repeated int32 int_val = 7
    repeated bytes string_val = 8
    repeated float scomplex_val = 9
    repeated int64 int64_val = 10
    repeated bool bool_val = 11
    repeated double dcomplex_val = 12
    repeated int32 half_val = 13
    repeated uint32 uint32_val = 16
    repeated uint64 uint64_val = 17

Int64Value
    int64 value = 1

ModelSpec
    string name = 1
    Int64Value version = 2
    string signature_name = 3
    string version_label = 4

PredictRequest
    ModelSpec model_spec = 1
    map TensorProto inputs = 2
    repeated string output_filter = 3

PredictResponse
    map TensorProto outputs = 1
    ModelSpec model_spec = 2

TensorInfo
    string name = 1
    int32 dtype = 2
    TensorShapeProto tensor_shape = 3

SignatureDef
    map TensorInfo inputs = 1
    map TensorInfo outputs = 2
    string method_name = 3

SignatureDefMap
    map SignatureDef signature_def = 1

Any
    string type_url = 1
    bytes value = 2

GetModelMetadataRequest
    ModelSpec model_spec = 1
    repeated string metadata_field = 2

GetModelMetadataResponse
    ModelSpec model_spec = 1
    map Any metadata = 2

StatusProto
    int32 error_code = 1
    string error_message = 2

ModelVersionStatus
    int64 version = 1
    int32 state = 2
    StatusProto status = 3

GetModelStatusRequest
    ModelSpec model_spec = 1

GetModelStatusResponse
    repeated ModelVersionStatus model_version_status = 1
"""

_PACKAGE = "insula.tensorflow"
_FIELD = re.compile(r" +(?:(?P<label>repeated|map) )?(?P<kind>\w+) (?P<name>\w+) = (?P<number>\d+)")
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="insula/tensorflow.proto", package=_PACKAGE, syntax="proto3")
    for block in SCHEMA.strip().split("\n\n"):
        name, *lines = block.split("\n")
        message = file.message_type.add(name=name)
        for line in lines:
            match = _FIELD.fullmatch(line)
            assert match, line
            _add_field(message, match["label"], match["kind"], match["name"], int(match["number"]))
    return file


def _add_field(message: Any, label: str | None, kind: str, name: str, number: int) -> None:
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if label else _Field.LABEL_OPTIONAL
    if label == "map":
        # A map from strings is, on the wire, a list of messages of two fields.
        entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add_field(entry, None, "string", "key", 1)
        _add_field(entry, None, kind, "value", 2)
        kind = f"{message.name}.{entry.name}"
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_describe())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


TensorShapeProto = _message("TensorShapeProto")
TensorProto = _message("TensorProto")
TensorInfo = _message("TensorInfo")
SignatureDef = _message("SignatureDef")
SignatureDefMap = _message("SignatureDefMap")
PredictRequest = _message("PredictRequest")
PredictResponse = _message("PredictResponse")
GetModelMetadataRequest = _message("GetModelMetadataRequest")
GetModelMetadataResponse = _message("GetModelMetadataResponse")
GetModelStatusRequest = _message("GetModelStatusRequest")
GetModelStatusResponse = _message("GetModelStatusResponse")
