"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.average_pool2d import AveragePool2d
from netsuke.ops.onnx_node import OnnxNode, channels_first, clamped, edges


def export(op: AveragePool2d, node: OnnxNode) -> None:
    order = channels_first(3)
    x = node.read(0, order)
    whole = op.kernel == node.inputs[0].shape[:2] and op.padding == ((0, 0), (0, 0))
    if whole:
        y = node.emit("GlobalAveragePool", [x])
    else:
        y = node.emit(
            "AveragePool",
            [x],
            kernel_shape=list(op.kernel),
            strides=list(op.stride),
            pads=edges(op.padding),
            count_include_pad=int(op.include_padding),
        )
    node.write(clamped(node, y, op.low, op.high), order)
