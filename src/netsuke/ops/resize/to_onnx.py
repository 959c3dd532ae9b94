"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode, channels_first
from netsuke.ops.resize import Resize


def export(op: Resize, node: OnnxNode) -> None:
    order = channels_first(3)
    y = node.emit(
        "Resize",
        [node.read(0, order), "", "", node.constant(list(op.size))],
        axes=[2, 3],
        mode={"nearest": "nearest", "bilinear": "linear"}[op.mode],
        coordinate_transformation_mode=op.coordinates,
        nearest_mode=op.rounding,
    )
    node.write(y, order)
