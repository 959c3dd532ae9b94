"""Convolutions and dense layers."""

from __future__ import annotations

from typing import Any

from netsuke.codegen.onnx.registry import writes
from netsuke.codegen.onnx.writer import NodeWriter
from netsuke.ops import Conv2d, Dense, DepthwiseConv2d, TransposedConv2d


def pads(padding: Any) -> list[int]:
    """ONNX's order: all starts, then all ends."""
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]


@writes(Conv2d)
def conv2d(node: NodeWriter) -> None:
    node.follow(images=True)
    value = node.node(
        "Conv",
        node.get(0),
        node.weights(1, (0, 3, 1, 2)),
        node.bias(2),
        strides=node.op.stride,
        dilations=node.op.dilation,
        pads=pads(node.op.padding),
        group=node.op.groups,
        kernel_shape=node.inputs[1].shape[1:3],
    )
    node.put(node.clamp(value))


@writes(DepthwiseConv2d)
def depthwise_conv2d(node: NodeWriter) -> None:
    node.follow(images=True)
    height, width, channels = node.inputs[1].shape
    value = node.node(
        "Conv",
        node.get(0),
        node.weights(1, (2, 0, 1), (channels, 1, height, width)),
        node.bias(2),
        strides=node.op.stride,
        dilations=node.op.dilation,
        pads=pads(node.op.padding),
        group=node.inputs[0].shape[2],
        kernel_shape=(height, width),
    )
    node.put(node.clamp(value))


@writes(TransposedConv2d)
def transposed_conv2d(node: NodeWriter) -> None:
    node.follow(images=True)
    k, height, width, depth = node.inputs[1].shape
    groups = node.op.groups
    if groups == 1:
        weights = node.weights(1, (3, 0, 1, 2))
    else:
        tensor = node.inputs[1]
        assert tensor.data is not None
        real = tensor.quant.dequantize(tensor.data) if tensor.quant else tensor.data
        split = real.reshape(groups, k // groups, height, width, depth).transpose(0, 4, 1, 2, 3)
        weights = node.constant(split.reshape(groups * depth, k // groups, height, width))
    value = node.node(
        "ConvTranspose",
        node.get(0),
        weights,
        node.bias(2),
        strides=node.op.stride,
        dilations=node.op.dilation,
        pads=pads(node.op.padding),
        group=groups,
        output_padding=node.op.output_padding,
        kernel_shape=(height, width),
    )
    node.put(node.clamp(value))


@writes(Dense)
def dense(node: NodeWriter) -> None:
    if len(node.inputs[0].shape) == 1:
        value = node.node("Gemm", node.get(0), node.weights(1, (0, 1)), node.bias(2), transB=1)
    else:
        value = node.node("MatMul", node.get(0), node.weights(1, (1, 0)))
        value = node.node("Add", value, node.bias(2))
    node.put(node.clamp(value))
