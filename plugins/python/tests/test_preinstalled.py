"""The extras that stand for Cortex's images; `tox -e preinstalled` shows that they resolve."""

from __future__ import annotations

import re
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
# As Cortex 0.19 listed them.
BOTH = {
    "boto3", "cloudpickle", "cython", "dill", "fastapi", "joblib", "msgpack", "nltk", "np-utils", "numpy",
    "opencv-python-headless", "pandas", "pillow", "pyyaml", "requests", "scikit-image", "scikit-learn", "scipy",
    "six", "statsmodels", "sympy", "torchvision",
}  # fmt: skip
NOT_INFERENTIA = {"keras", "tensorflow", "tensorflow-hub", "torch", "xgboost"}


def extra(name: str) -> list[str]:
    found = re.search(rf"^{name} = \[\n(.*?)^\]", PYPROJECT.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return [re.split("[><=!~;]", line)[0].lower() for line in re.findall(r'"([^"]+)"', found[1])]


def test_the_python_images() -> None:
    assert sorted(extra("preinstalled")) == sorted(BOTH | NOT_INFERENTIA)


def test_the_inferentia_image_without_what_only_aws_has() -> None:
    assert sorted(extra("preinstalled-inf")) == sorted(BOTH)
