"""Small models, made as they are needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

FLOAT = TensorProto.FLOAT
Shape = Sequence[int | str | None] | None


def value(name: str, elements: int, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, elements, shape)


def model_of(graph: onnx.GraphProto, opset: int = 17, ir: int = 8) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def identity(elements: int = FLOAT, shape: Shape = ("N", 4), **versions: int) -> onnx.ModelProto:
    """A model that answers with what it is given."""
    ends = [value("x", elements, shape)], [value("y", elements, shape)]
    return model_of(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "graph", *ends), **versions)


def scaled(factor: float, size: int = 4) -> onnx.ModelProto:
    """A model that multiplies its input by an initializer that may be given as an input too."""
    factors = helper.make_tensor("factor", FLOAT, [size], np.full(size, factor, np.float32).tobytes(), raw=True)
    inputs = [value("x", FLOAT, ["N", size]), value("factor", FLOAT, [size])]
    nodes = [helper.make_node("Mul", ["x", "factor"], ["y"])]
    return model_of(helper.make_graph(nodes, "graph", inputs, [value("y", FLOAT, ["N", size])], [factors]))
