"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.pad import Pad


def export(op: Pad, node: OnnxNode) -> None:
    order = node.order()
    before = [0, *(op.padding[axis][0] for axis in order)]
    behind = [0, *(op.padding[axis][1] for axis in order)]
    inputs = [node.read(0, order), node.constant(before + behind)]
    if op.mode == "constant":
        inputs.append(node.constant(op.value))
    node.write(node.emit("Pad", inputs, mode=op.mode), order)
