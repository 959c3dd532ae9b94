"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.dense import Dense
from netsuke.ops.onnx_node import OnnxNode, clamped


def export(op: Dense, node: OnnxNode) -> None:
    shape = node.inputs[0].shape
    x = node.read(0, tuple(range(len(shape))))
    bias = node.bias(2)
    if len(shape) > 1 and node.inputs[0].quant is None:
        product = node.emit("MatMul", [x, node.weights(1, lambda w: w.T, 1)])
        y = node.emit("Add", [product, bias])
    else:
        if len(shape) > 1:
            x = node.emit("Reshape", [x, node.constant([-1, shape[-1]])])
        y = node.emit("Gemm", [x, node.weights(1, lambda w: w, 0), bias], transB=1)
    y = clamped(node, y, op.low, op.high)
    if len(shape) > 1 and node.inputs[0].quant is not None:
        y = node.emit("Reshape", [y, node.constant([-1, *node.outputs[0].shape])])
    node.write(y)
