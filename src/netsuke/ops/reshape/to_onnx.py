"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.reshape import Reshape


def export(op: Reshape, node: OnnxNode) -> None:
    order = node.order()
    extents = [node.inputs[0].shape[axis] for axis in order]
    longer = [axis for axis, extent in zip(order, extents, strict=True) if extent > 1]
    if longer != sorted(longer):  # elements do not lie in the order of our axes
        order = tuple(sorted(order))
    shape = node.constant([-1, *op.shape])
    node.write(node.emit("Reshape", [node.read(0, order), shape]))
