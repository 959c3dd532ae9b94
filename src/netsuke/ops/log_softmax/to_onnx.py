"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.log_softmax import LogSoftmax
from netsuke.ops.onnx_node import OnnxNode


def export(op: LogSoftmax, node: OnnxNode) -> None:
    order = node.order()
    axis = 1 + order.index(op.axis % len(order))
    node.write(node.emit("LogSoftmax", [node.read(0, order)], axis=axis), order)
