"""Train a Keras model on scikit-learn's irises, write it as a SavedModel into `model/`, and the irises as `rows.jsonl`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import keras
import tensorflow as tf
from sklearn.datasets import load_iris

HERE = Path(__file__).parent
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def train() -> keras.Model:
    rows, species = load_iris(return_X_y=True)
    keras.utils.set_random_seed(0)
    scale = keras.layers.Normalization()
    scale.adapt(rows)
    model = keras.Sequential(
        [keras.Input((4,)), scale, keras.layers.Dense(16, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(rows, species, batch_size=30, epochs=60, verbose=0)
    return model


def export(model: keras.Model, folder: Path) -> None:
    """Write the model with a signature of its own: features in, the likeliest class and how sure it is out."""

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="features")])
    def classify(features: tf.Tensor) -> dict[str, tf.Tensor]:
        likely = model(features)
        return {"class": tf.argmax(likely, axis=1)[:, None], "sure": tf.reduce_max(likely, axis=1)[:, None]}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("predict", classify)
    archive.write_out(str(folder), verbose=False)


def main() -> None:
    shutil.rmtree(HERE / "model", ignore_errors=True)
    # A folder of versions, as TensorFlow Serving wants it: the highest number is taken.
    export(train(), HERE / "model" / "1")
    rows, _ = load_iris(return_X_y=True)
    lines = (json.dumps(dict(zip(FEATURES, row))) for row in rows.tolist())
    (HERE / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
