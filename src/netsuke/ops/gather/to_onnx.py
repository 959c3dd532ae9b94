"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.gather import Gather
from netsuke.ops.onnx_node import OnnxNode


def export(op: Gather, node: OnnxNode) -> None:
    order = tuple(range(len(node.inputs[0].shape)))
    places = node.constant(node.inputs[1].data)
    node.write(node.emit("Gather", [node.read(0, order), places], axis=1 + op.axis % len(order)))
