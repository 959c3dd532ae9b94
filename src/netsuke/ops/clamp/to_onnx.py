"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.clamp import Clamp
from netsuke.ops.onnx_node import OnnxNode, clamped


def export(op: Clamp, node: OnnxNode) -> None:
    order = node.order()
    node.write(clamped(node, node.read(0, order), op.low, op.high), order)
