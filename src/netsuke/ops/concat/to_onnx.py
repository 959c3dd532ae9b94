"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.concat import Concat
from netsuke.ops.onnx_node import OnnxNode


def export(op: Concat, node: OnnxNode) -> None:
    activation = next(i for i, tensor in enumerate(node.inputs) if not tensor.is_constant)
    order = node.order(activation)
    names = [node.batched(index, order) for index in range(len(node.inputs))]
    node.write(node.emit("Concat", names, axis=1 + order.index(op.axis)), order)
