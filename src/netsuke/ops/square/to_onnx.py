"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.square import Square


def export(op: Square, node: OnnxNode) -> None:
    order = node.order()
    x = node.read(0, order)
    node.write(node.emit("Mul", [x, x]), order)
