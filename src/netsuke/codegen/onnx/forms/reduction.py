"""Operators that combine many elements: pools, reductions, normalizations, softmax, products."""

from __future__ import annotations

from netsuke.codegen.onnx.forms.convolution import pads
from netsuke.codegen.onnx.registry import writes
from netsuke.codegen.onnx.writer import NodeWriter
from netsuke.ir import Op
from netsuke.ops import (
    ArgMax,
    AveragePool2d,
    BatchNorm,
    LayerNorm,
    LogSoftmax,
    Matmul,
    MaxPool2d,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Softmax,
)

REDUCTIONS: dict[type[Op], str] = {
    ReduceMax: "ReduceMax",
    ReduceMean: "ReduceMean",
    ReduceSum: "ReduceSum",
}


@writes(MaxPool2d)
def max_pool2d(node: NodeWriter) -> None:
    node.follow(images=True)
    node.put(
        node.node(
            "MaxPool",
            node.get(0),
            kernel_shape=node.op.kernel,
            strides=node.op.stride,
            dilations=node.op.dilation,
            pads=pads(node.op.padding),
        )
    )


@writes(AveragePool2d)
def average_pool2d(node: NodeWriter) -> None:
    node.follow(images=True)
    if node.op.kernel == node.inputs[0].shape[:2] and not any(pads(node.op.padding)):
        value = node.node("GlobalAveragePool", node.get(0))
    else:
        value = node.node(
            "AveragePool",
            node.get(0),
            kernel_shape=node.op.kernel,
            strides=node.op.stride,
            pads=pads(node.op.padding),
            count_include_pad=int(node.op.include_padding),
        )
    node.put(node.clamp(value))


@writes(*REDUCTIONS)
def reduction(node: NodeWriter) -> None:
    rank = len(node.inputs[0].shape)
    axes = node.ints(*(axis % rank + 1 for axis in node.op.axes))
    node.put(node.node(REDUCTIONS[node.kind], node.get(0), axes, keepdims=int(node.op.keepdims)))


@writes(ArgMax)
def arg_max(node: NodeWriter) -> None:
    axis = node.op.axis % len(node.inputs[0].shape) + 1
    value = node.node("ArgMax", node.get(0), axis=axis, keepdims=int(node.op.keepdims))
    node.put(node.node("Cast", value, to=node.writer.onnx.TensorProto.INT32))


@writes(Softmax)
def softmax(node: NodeWriter) -> None:
    value = node.get(0)
    if node.op.beta != 1.0:
        value = node.node("Mul", value, node.constant(node.op.beta))
    node.put(node.node("Softmax", value, axis=node.op.axis % len(node.inputs[0].shape) + 1))


@writes(LogSoftmax)
def log_softmax(node: NodeWriter) -> None:
    axis = node.op.axis % len(node.inputs[0].shape) + 1
    node.put(node.node("LogSoftmax", node.get(0), axis=axis))


@writes(BatchNorm)
def batch_norm(node: NodeWriter) -> None:
    rank = len(node.inputs[0].shape)
    node.follow(images=rank == 3)
    constants = [
        node.writer.constant(t.data, t.name) for t in node.inputs[1:] if t.data is not None
    ]
    value = node.get(0)
    if rank not in (1, 3):
        flat = node.ints(-1, node.inputs[0].shape[-1])
        value = node.node("Reshape", value, flat)
    value = node.node("BatchNormalization", value, *constants, epsilon=float(node.op.epsilon))
    if rank not in (1, 3):
        value = node.node("Reshape", value, node.ints(-1, *node.inputs[0].shape))
    node.put(node.clamp(value))


@writes(LayerNorm)
def layer_norm(node: NodeWriter) -> None:
    axis = node.op.axis % len(node.inputs[0].shape) + 1
    constants = [
        node.writer.constant(t.data, t.name) for t in node.inputs[1:] if t.data is not None
    ]
    epsilon = float(node.op.epsilon)
    node.put(node.node("LayerNormalization", node.get(0), *constants, axis=axis, epsilon=epsilon))


@writes(Matmul)
def matmul(node: NodeWriter) -> None:
    values = []
    for tensor in node.inputs:
        if tensor.data is None:
            values.append(node.writer.value(tensor.name, node.layout))
        else:
            real = tensor.quant.dequantize(tensor.data) if tensor.quant else tensor.data
            values.append(node.writer.constant(real, tensor.name))
    node.put(node.node("MatMul", *values))
