"""Arrays on the wire against TensorFlow's own conversion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.config import model_server_config_pb2

from insula_tensorflow import messages, wire
from insula_tensorflow.datatypes import BFLOAT16, BY_NUMBER, STRING, DataType
from insula_tensorflow.directories import ServedModel
from insula_tensorflow.model_server import models_config

SHAPES = [(), (0, 3), (2, 3), (5,)]


def filled(kind: DataType, shape: tuple[int, ...]) -> Any:
    if kind is STRING:
        return np.full(shape, b"\xff\0ab", dtype=object)
    values = np.random.default_rng(0).normal(size=shape) * 3
    if kind.held.kind == "u":
        values = np.abs(values)
    return np.asarray(values).astype(tf.dtypes.as_dtype(kind.number).as_numpy_dtype)


# TensorFlow 2.21 itself does what numpy 2.5 warns of.
@pytest.mark.filterwarnings("ignore:Setting the dtype on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", BY_NUMBER.values(), ids=lambda kind: kind.name)
def test_tensorflow_reads_what_we_write(kind: DataType, shape: tuple[int, ...], typed: bool) -> None:
    array = filled(kind, shape)
    ours = messages.TensorProto()
    wire.encode(array, ours, typed=typed)
    theirs = tf.make_ndarray(tensor_pb2.TensorProto.FromString(ours.SerializeToString()))
    assert (theirs.dtype, theirs.shape) == (array.dtype, array.shape)
    assert np.array_equal(theirs, array)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", BY_NUMBER.values(), ids=lambda kind: kind.name)
def test_we_read_what_tensorflow_writes(kind: DataType, shape: tuple[int, ...]) -> None:
    array = filled(kind, shape)
    theirs = tf.make_tensor_proto(array, dtype=kind.number)
    back = wire.decode(messages.TensorProto.FromString(theirs.SerializeToString()))
    assert back.dtype == kind.held
    assert np.array_equal(back, array.astype(kind.held))


def test_we_read_values_that_tensorflow_left_out() -> None:
    constant = tf.make_tensor_proto(7, dtype=tf.int16, shape=[2, 3])
    assert len(constant.int_val) == 1
    assert wire.decode(constant).tolist() == [[7] * 3] * 2


def test_bfloat16_is_rounded_as_tensorflow_does() -> None:
    array = np.random.default_rng(1).normal(size=10_000).astype(np.float32)
    proto = messages.TensorProto()
    wire.encode(array, proto, BFLOAT16)
    assert np.array_equal(wire.decode(proto), tf.cast(tf.cast(array, tf.bfloat16), tf.float32).numpy())


def test_the_config_of_models_is_one(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSULA_HOME", str(tmp_path))
    model = tmp_path / 'a "b"\\é\n' / "12"
    model.mkdir(parents=True)
    text = models_config([ServedModel('x"y\n', model, 12), ServedModel("z", tmp_path)])
    first, second = text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert (first.name, first.base_path, first.model_platform) == ('x"y\n', str(model.parent), "tensorflow")
    assert list(first.model_version_policy.specific.versions) == [12]
    assert second.name == "z"
