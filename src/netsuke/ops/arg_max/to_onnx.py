"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.arg_max import ArgMax
from netsuke.ops.onnx_node import OnnxNode, remaining


def export(op: ArgMax, node: OnnxNode) -> None:
    order, axis = node.order(), op.axis % len(node.inputs[0].shape)
    y = node.emit(
        "ArgMax",
        [node.read(0, order)],
        axis=1 + order.index(axis),
        keepdims=int(op.keepdims),
        select_last_index=int(op.last),
    )
    y = node.emit("Cast", [y], to=6)  # ONNX counts in int64, we in int32
    node.write(y, order if op.keepdims else remaining(order, {axis}))
