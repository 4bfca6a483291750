"""Train the classifier on every second of scikit-learn's digits; `--rows` writes the others as the job's input.

usage: python train.py [--rows]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import joblib
import sklearn
from sklearn.datasets import load_digits
from sklearn.svm import SVC

HERE = Path(__file__).parent


def model_path(folder: Path) -> Path:
    """Where the model is kept: a pickled model belongs to the version of scikit-learn that wrote it."""
    return folder / f"digits-{sklearn.__version__}.joblib"


def train(folder: Path) -> Path:
    """Train on the even rows and write the model."""
    digits = load_digits()
    model = SVC(gamma=0.001).fit(digits.data[0::2], digits.target[0::2])
    # Several workers may train at once: each writes a file of its own and the last rename wins, with the same model.
    path = model_path(folder)
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")
    joblib.dump(model, unfinished)
    unfinished.replace(path)
    return path


def write_rows(folder: Path) -> None:
    """Write the odd rows as `digits.jsonl`, and which digit each one is as `labels.json`."""
    digits = load_digits()
    rows = range(1, len(digits.data), 2)
    lines = (json.dumps({"id": row, "pixels": digits.data[row].astype(int).tolist()}) for row in rows)
    (folder / "digits.jsonl").write_text("".join(f"{line}\n" for line in lines))
    labels = {str(row): int(digits.target[row]) for row in rows}
    (folder / "labels.json").write_text(json.dumps(labels) + "\n")


if __name__ == "__main__":
    print(train(HERE))
    if "--rows" in sys.argv[1:]:
        write_rows(HERE)
