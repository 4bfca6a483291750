"""Train two classifiers on scikit-learn's irises and write them as ONNX into `models/`, and the irises as `rows.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path

from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
CLASSIFIERS = {
    "regression": LogisticRegression(max_iter=1000),
    "forest": RandomForestClassifier(50, random_state=0),
}


def main() -> None:
    rows, species = load_iris(return_X_y=True)
    folder = HERE / "models"
    folder.mkdir(exist_ok=True)
    for name, classifier in CLASSIFIERS.items():
        model = to_onnx(classifier.fit(rows, species), rows[:1].astype("float32"), options={"zipmap": False})
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    lines = (json.dumps(dict(zip(FEATURES, row))) for row in rows.tolist())
    (HERE / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
