"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.gelu import Gelu
from netsuke.ops.onnx_node import OnnxNode


def export(op: Gelu, node: OnnxNode) -> None:
    order = node.order()
    formula = "tanh" if op.approximate else "none"
    node.write(node.emit("Gelu", [node.read(0, order)], approximate=formula), order)
