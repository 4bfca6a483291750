"""Small SavedModels, made as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

Function = Callable[..., Mapping[str, Any]]


def save(folder: Path, **functions: tuple[Function, Mapping[str, Any]]) -> Path:
    """Write a SavedModel of signatures by key: each is a function of tensors, and the specs of its inputs by name."""
    module = tf.Module()
    signatures = {}
    for key, (function, inputs) in functions.items():
        specs = [tf.TensorSpec(one.shape, one.dtype, name=name) for name, one in inputs.items()]
        signatures[key] = tf.function(_by_position(function, tuple(inputs)), input_signature=specs)
        setattr(module, key, signatures[key])
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def _by_position(function: Function, names: tuple[str, ...]) -> Function:
    # TensorFlow names a signature's inputs after the specs.
    return lambda *values: function(**dict(zip(names, values, strict=True)))


def spec(shape: Any, dtype: Any = tf.float32) -> Any:
    return tf.TensorSpec(shape, dtype)


def scaled(folder: Path, factor: float, size: int = 4) -> Path:
    """A model that multiplies its input `x` by a variable; its output is `y`."""
    module = tf.Module()
    module.factor = tf.Variable(factor)
    module.call = tf.function(
        lambda x: {"y": x * module.factor}, input_signature=[tf.TensorSpec([None, size], tf.float32, name="x")]
    )
    tf.saved_model.save(module, str(folder), signatures=module.call)
    return folder


def identity(folder: Path, dtype: Any, shape: Any = (None,)) -> Path:
    """A model that answers with what it is given."""
    return save(folder, serving_default=(lambda x: {"y": tf.identity(x)}, {"x": spec(shape, dtype)}))
