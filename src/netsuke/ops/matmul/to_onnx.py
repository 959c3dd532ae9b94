"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.matmul import Matmul
from netsuke.ops.onnx_node import OnnxNode


def export(op: Matmul, node: OnnxNode) -> None:
    rank = len(node.outputs[0].shape)
    order = tuple(range(rank))
    names = [node.aligned(index, rank, order) for index in (0, 1)]
    node.write(node.emit("MatMul", names))
