"""The extra that stands for Cortex's image; `tox -e preinstalled` shows that it resolves."""

from __future__ import annotations

import re
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
# As Cortex 0.19 listed them, OpenCV without its windows.
CORTEX = {"boto3", "dill", "fastapi", "msgpack", "numpy", "opencv-python-headless", "pyyaml", "requests"}


def test_the_onnx_image() -> None:
    found = re.search(r"^preinstalled = \[\n(.*?)^\]", PYPROJECT.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    assert {re.split("[><=!~;]", line)[0] for line in re.findall(r'"([^"]+)"', found[1])} == CORTEX
