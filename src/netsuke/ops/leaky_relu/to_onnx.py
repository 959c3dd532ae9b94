"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.leaky_relu import LeakyRelu
from netsuke.ops.onnx_node import OnnxNode


def export(op: LeakyRelu, node: OnnxNode) -> None:
    order = node.order()
    node.write(node.emit("LeakyRelu", [node.read(0, order)], alpha=op.alpha), order)
