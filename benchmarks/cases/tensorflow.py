"""TensorFlow through insula: what the client adds to a signature that runs in this process."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.options import Options
from benchmarks.table import Figure

SHAPE = (32, 224, 224, 3)


def save(folder: Path) -> Path:
    """Write a model that convolves pictures."""
    import tensorflow as tf

    module = tf.Module()
    module.filters = tf.Variable(tf.random.normal([7, 7, 3, 16], seed=0))
    module.call = tf.function(
        lambda x: {"y": tf.nn.conv2d(x, module.filters, 4, "SAME")},
        input_signature=[tf.TensorSpec([None, *SHAPE[1:]], tf.float32, name="x")],
    )
    tf.saved_model.save(module, str(folder), signatures=module.call)
    return folder


def in_process(folder: Path, rounds: int) -> Figure:
    """Time `tensorflow_client.predict` and the signature itself in turns, arrays in and arrays out."""
    import numpy as np
    import tensorflow as tf

    from insula.model_names import SINGLE
    from insula_tensorflow.client import TensorFlowClient
    from insula_tensorflow.embedded import load
    from insula_tensorflow.model import TensorFlowModel
    from insula_tensorflow.signature import choose

    backend = load(folder, intra_op_threads=None, inter_op_threads=None, gpu=False)
    client = TensorFlowClient([TensorFlowModel(SINGLE, backend, choose(backend.signatures, None, ""))])
    direct = tf.saved_model.load(str(folder)).signatures["serving_default"]
    pictures = np.random.default_rng(0).random(SHAPE, dtype=np.float32)

    def bare() -> dict[str, Any]:
        return {name: one.numpy() for name, one in direct(x=tf.constant(pictures)).items()}

    def ours() -> dict[str, Any]:
        return client.predict({"x": pictures})

    if not np.array_equal(bare()["y"], ours()["y"]):
        raise AssertionError("the two say something else")
    pairs = [(_timed(bare), _timed(ours)) for _ in range(rounds)]
    ratio = median(mine / theirs for theirs, mine in pairs)
    theirs, mine = (median(times) for times in zip(*pairs, strict=True))
    note = f"medians of {rounds} pairs: {mine * 1e3:.1f} ms and {theirs * 1e3:.1f} ms"
    return Figure("tensorflow", "tensorflow_client.predict over the signature", ratio, at_most=1.05, note=note)


def _timed(call: Any) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def run(options: Options) -> list[Figure]:
    return [in_process(save(options.work / "model"), options.repeat(200))]
