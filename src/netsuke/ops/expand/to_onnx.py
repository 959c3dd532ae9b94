"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.expand import Expand
from netsuke.ops.onnx_node import OnnxNode


def export(op: Expand, node: OnnxNode) -> None:
    (x,), order = node.operands()
    shape = [1, *(op.shape[axis] for axis in order)]
    node.write(node.emit("Expand", [x, node.constant(shape)]), order)
