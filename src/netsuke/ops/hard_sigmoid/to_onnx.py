"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.hard_sigmoid import HardSigmoid
from netsuke.ops.onnx_node import OnnxNode


def export(op: HardSigmoid, node: OnnxNode) -> None:
    order = node.order()
    y = node.emit("HardSigmoid", [node.read(0, order)], alpha=op.alpha, beta=op.beta)
    node.write(y, order)
