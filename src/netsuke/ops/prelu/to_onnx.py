"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.prelu import Prelu


def export(op: Prelu, node: OnnxNode) -> None:
    names, order = node.operands()
    node.write(node.emit("PRelu", names), order)
