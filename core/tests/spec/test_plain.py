from __future__ import annotations

import array
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from insula.descriptors import Assignment
from insula.spec import ApiSpec, BatchRef, Block, ComputeSpec, Extent, Input, PredictorSpec, Submission
from insula.spec.api import ModelSpec, ModelsSpec
from insula.spec.plain import from_plain, to_plain


def doubled(value: int) -> int:
    return value * 2


@attrs.frozen
class Settings:
    number: int = attrs.field(converter=doubled)
    nested: Mapping[str, ModelSpec] = attrs.field(factory=dict)
    inner: Settings | None = None
    known: int = attrs.field(init=False, default=5)


API = ApiSpec(
    name="a",
    predictor=PredictorSpec(
        type="onnx",
        path="predictor.py",
        config={"a": [1, {"b": None}]},
        env={"A": "1"},
        models=ModelsSpec((ModelSpec("m", "path", "key"),), None, "key"),
    ),
    compute=ComputeSpec(0.2, 5),
    raw={"name": "a"},
    ignored=("networking",),
)


@pytest.mark.parametrize(
    "value",
    [
        API,
        ComputeSpec(),
        ModelSpec("a", "b"),
        Input("file", 3, "stamp"),
        BatchRef(1, 2, 3, (Extent(0, 1, 2), Extent(1, 0, 5))),
        Assignment(1, {"A": None, "B": "1"}, ("cuda:0",), {"onnx": {"providers": ["CUDA"]}}, 0.5),
        Submission("item_list", {"items": [1]}, workers=2, timeout=1.5, ignored=("a",)),
        Settings(1, {"a": ModelSpec("b", "c")}, Settings(2)),
    ],
)
def test_there_and_back(value: Any) -> None:
    plain = to_plain(value)
    assert json.loads(json.dumps(plain)) == plain
    assert from_plain(type(value), plain) == value


def test_arrays_are_lists() -> None:
    block = Block(2, 1, 0, 0, array.array("Q", [5, 9]))
    plain = to_plain(block)
    assert plain["stops"] == [5, 9]
    assert from_plain(Block, plain) == attrs.evolve(block, stops=(5, 9))


def test_converters_do_not_run_again() -> None:
    assert Settings(1).number == 2
    assert from_plain(Settings, to_plain(Settings(1))).number == 2


@pytest.mark.parametrize("value", [object(), b"bytes", {1: 2}, [object()]])
def test_what_has_no_plain_form(value: Any) -> None:
    with pytest.raises(TypeError):
        to_plain({"key": value})


def test_without_cattrs() -> None:
    code = "import sys, insula.spec.plain; print('cattrs' in sys.modules or 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
