"""Write it as ONNX: the place in the table from the real number, the real number in that place."""

from __future__ import annotations

import numpy as np

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.table import Table

INT64 = 7
"""ONNX's number of the element type."""


def export(op: Table, node: OnnxNode) -> None:
    order, source, target = node.order(), node.inputs[0].quant, node.outputs[0].quant
    assert source is not None and target is not None
    steps = node.emit("Div", [node.read(0, order), node.constant(source.scale[0])])
    places = node.emit("Add", [steps, node.constant(source.zero_point[0] + 128.5)])
    inside = node.emit("Clip", [places, node.constant(0.0), node.constant(255.0)])
    index = node.emit("Cast", [node.emit("Floor", [inside])], to=INT64)
    values = target.dequantize(np.array(op.values, np.int8))
    node.write(node.emit("Gather", [node.constant(values), index]), order)
