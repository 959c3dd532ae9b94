"""Layers that are linear but for a clamp: what passes do with their weights and biases."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass, replace

import numpy as np

from netsuke.ir import Array, Node, Op
from netsuke.passes.edit import Edit


def bounds(op: Op) -> tuple[float, float] | None:
    """The fused clamp of an operator, or None when it has no such fields."""
    if not is_dataclass(op):
        return None
    values = {field.name: getattr(op, field.name) for field in fields(op)}
    if not {"low", "high"} <= set(values):
        return None
    return float(values["low"]), float(values["high"])


def with_bounds(op: Op, low: float, high: float) -> Op:
    """The operator with another fused clamp."""
    changed: Op = replace(op, low=low, high=high)  # type: ignore[type-var]
    return changed


def is_unbounded(op: Op) -> bool:
    """Whether an operator has a fused clamp that does not clamp."""
    return bounds(op) == (-math.inf, math.inf)


def is_linear(edit: Edit, node: Node) -> bool:
    """Whether a node is a float layer with one constant weight tensor and a constant bias."""
    rule = node.op.rule
    if rule.bias is None or len(rule.weights) != 1 or len(node.outputs) != 1:
        return False
    (weights,) = rule.weights
    tensors = edit.inputs(node)
    return (
        bounds(node.op) is not None
        and rule.weights[weights] is not None
        and all(tensors[i].is_constant and tensors[i].quant is None for i in (weights, rule.bias))
        and tensors[weights].dtype == "float32"
    )


def transform_outputs(edit: Edit, node: Node, factor: Array, addend: Array) -> Node:
    """Let a linear node yield ``factor · y + addend`` per output channel; return the new node."""
    rule = node.op.rule
    (index,) = rule.weights
    axis = rule.weights[index]
    assert rule.bias is not None and axis is not None
    weights, bias = edit.inputs(node)[index], edit.inputs(node)[rule.bias]
    assert weights.data is not None and bias.data is not None
    shape = [-1 if i == axis else 1 for i in range(len(weights.shape))]
    factor = np.broadcast_to(np.asarray(factor, np.float64), bias.shape)
    scaled = weights.data * factor.reshape(shape)
    shifted = bias.data * factor + addend
    inputs = list(node.inputs)
    inputs[index] = edit.constant(f"{weights.name}_folded", scaled.astype(np.float32))
    inputs[rule.bias] = edit.constant(f"{bias.name}_folded", shifted.astype(np.float32))
    return edit.replace(node, inputs=inputs)
