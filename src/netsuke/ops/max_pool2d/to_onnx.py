"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.max_pool2d import MaxPool2d
from netsuke.ops.onnx_node import OnnxNode, channels_first, edges


def export(op: MaxPool2d, node: OnnxNode) -> None:
    order = channels_first(3)
    y = node.emit(
        "MaxPool",
        [node.read(0, order)],
        kernel_shape=list(op.kernel),
        strides=list(op.stride),
        dilations=list(op.dilation),
        pads=edges(op.padding),
    )
    node.write(y, order)
