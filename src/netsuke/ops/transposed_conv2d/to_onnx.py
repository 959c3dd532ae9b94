"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ir import Array
from netsuke.ops.onnx_node import OnnxNode, channels_first, clamped, edges
from netsuke.ops.transposed_conv2d import TransposedConv2d


def export(op: TransposedConv2d, node: OnnxNode) -> None:
    order = channels_first(3)

    def inputs_first(weights: Array) -> Array:
        """(k, h, w, c / groups) as (c, k / groups, h, w)."""
        k, h, w, depth = weights.shape
        grouped = weights.reshape(op.groups, k // op.groups, h, w, depth)
        return grouped.transpose(0, 4, 1, 2, 3).reshape(-1, k // op.groups, h, w)

    y = node.emit(
        "ConvTranspose",
        [node.read(0, order), node.weights(1, inputs_first, 1), node.bias(2)],
        kernel_shape=list(node.inputs[1].shape[1:3]),
        strides=list(op.stride),
        dilations=list(op.dilation),
        pads=edges(op.padding),
        output_padding=list(op.output_padding),
        group=op.groups,
    )
    node.write(clamped(node, y, op.low, op.high), order)
