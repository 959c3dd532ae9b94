"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.conv2d import Conv2d
from netsuke.ops.onnx_node import OnnxNode, channels_first, clamped, edges


def export(op: Conv2d, node: OnnxNode) -> None:
    order = channels_first(3)
    weights = node.weights(1, lambda w: w.transpose(0, 3, 1, 2), 0)
    bias = node.bias(2)
    y = node.emit(
        "Conv",
        [node.read(0, order), weights, bias],
        kernel_shape=list(node.inputs[1].shape[1:3]),
        strides=list(op.stride),
        dilations=list(op.dilation),
        pads=edges(op.padding),
        group=op.groups,
    )
    node.write(clamped(node, y, op.low, op.high), order)
