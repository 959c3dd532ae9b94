"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.split import Split


def export(op: Split, node: OnnxNode) -> None:
    order = node.order()
    names = node.emit_many(
        "Split",
        [node.read(0, order), node.constant(list(op.sizes))],
        len(op.sizes),
        axis=1 + order.index(op.axis),
    )
    for index, name in enumerate(names):
        node.write(name, order, index)
