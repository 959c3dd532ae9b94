"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.softmax import Softmax


def export(op: Softmax, node: OnnxNode) -> None:
    order = node.order()
    x = node.read(0, order)
    if op.beta != 1.0:
        x = node.emit("Mul", [x, node.constant(op.beta)])
    axis = 1 + order.index(op.axis % len(order))
    node.write(node.emit("Softmax", [x], axis=axis), order)
