"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.transpose import Transpose


def export(op: Transpose, node: OnnxNode) -> None:
    order = node.order()
    node.alias(node.read(0, order), tuple(op.axes.index(axis) for axis in order))
