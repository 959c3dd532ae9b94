"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.channel_shuffle import ChannelShuffle
from netsuke.ops.onnx_node import OnnxNode, channels_first


def export(op: ChannelShuffle, node: OnnxNode) -> None:
    *image, channels = node.inputs[0].shape
    order = channels_first(len(image) + 1)
    parts = [-1, op.groups, channels // op.groups, *image]
    y = node.emit("Reshape", [node.read(0, order), node.constant(parts)])
    y = node.emit("Transpose", [y], perm=[0, 2, 1, *range(3, len(parts))])
    y = node.emit("Reshape", [y, node.constant([-1, channels, *image])])
    node.write(y, order)
