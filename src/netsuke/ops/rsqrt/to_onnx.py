"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.rsqrt import Rsqrt


def export(op: Rsqrt, node: OnnxNode) -> None:
    order = node.order()
    root = node.emit("Sqrt", [node.read(0, order)])
    node.write(node.emit("Reciprocal", [root]), order)
