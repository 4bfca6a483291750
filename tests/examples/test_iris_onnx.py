from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


def test_both_models_say_what_scikit_learn_says(example: Callable[[str], Any]) -> None:
    irises = example("iris-onnx")
    irises.script("train.py")
    rows, species = load_iris(return_X_y=True)
    expected = LogisticRegression(max_iter=1000).fit(rows, species).predict(rows)
    found = irises.run()
    labels = yaml.safe_load((irises.folder / "cortex.yaml").read_text())[0]["predictor"]["config"]["labels"]
    assert [one["regression"] for one in found] == [labels[label] for label in expected]
    assert sum(one["forest"] == labels[label] for one, label in zip(found, species, strict=True)) >= 148
