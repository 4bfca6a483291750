from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import yaml
from sklearn.datasets import load_iris


def test_the_species_are_those_of_the_model_that_was_trained(example: Callable[[str], Any]) -> None:
    irises = example("iris-tensorflow")
    irises.script("train.py")
    rows, species = load_iris(return_X_y=True)
    layer = keras.layers.TFSMLayer(str(irises.folder / "model" / "1"), call_endpoint="predict")
    classes = np.asarray(layer(tf.constant(rows, tf.float32))["class"])[:, 0]
    found = irises.run()
    labels = yaml.safe_load((irises.folder / "cortex.yaml").read_text())[0]["predictor"]["config"]["labels"]
    assert [one["species"] for one in found] == [labels[label] for label in classes]
    assert (classes == species).sum() >= 140
    assert all(1 / 3 < one["sure"] <= 1 for one in found)
