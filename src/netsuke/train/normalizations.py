"""Putting batch normalizations back into a network whose file has them folded away.

A folded network trains badly: its weights have whatever scale the normalization gave them (those
of a first layer on bytes are around 1/255, and one step of Adam is larger), and after a cut
nothing brings its activations back to their range. So each layer z = w * x + b gets a
normalization behind it that changes nothing at first::

    z' = k · z                                   with k such that k · w has He's deviation
    y  = (z' - k·m) / √(k²·v + ε) · s + m        with s = √(k²·v + ε) / k

m and v are the mean and the variance of z over some samples. Folding gives the old layer again.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from netsuke.data import Part
from netsuke.data.stored import stored_inputs
from netsuke.ir import Array, Graph, Node, Tensor, constant, verify
from netsuke.ops import BatchNorm
from netsuke.passes.linear import bounds, with_bounds
from netsuke.train.module import to_module

EPSILON = 1e-3
SAMPLES = 256


def with_normalizations(graph: Graph, part: Part) -> Graph:
    """Return a graph with the same meaning and a batch normalization behind each layer.

    Layers that have one, and those whose results are the network's outputs but for elementwise
    functions, stay as they are.

    Parameters
    ----------
    graph
        A float graph in which no two nodes share a constant.
    part
        Samples on which means and variances are measured.
    """
    layers = [node for node in graph.nodes if _wants_one(graph, node)]
    if not layers:
        return graph
    moments = _moments(graph, layers, part)
    chosen = {node.name for node in layers}
    tensors, nodes = dict(graph.tensors), []
    renamed: dict[str, str] = {}
    for node in graph.nodes:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        if node.name in chosen:
            nodes += _normalized(tensors, node, *moments[node.name])
            renamed[node.name] = nodes[-1].name
        else:
            nodes.append(node)
    return verify(replace(graph, nodes=tuple(nodes), tensors=tensors))


def _is_layer(graph: Graph, node: Node) -> bool:
    rule, tensors = node.op.rule, graph.in_of(node)
    if rule.bias is None or len(rule.weights) != 1 or bounds(node.op) is None:
        return False
    (index, axis), *_ = rule.weights.items()
    return axis is not None and tensors[index].is_constant and tensors[rule.bias].is_constant


def _wants_one(graph: Graph, node: Node) -> bool:
    if not _is_layer(graph, node):
        return False
    readers = graph.consumers()[node.name]
    if node.name in graph.outputs or any(reader.op.measured for reader in readers):
        return False
    return _reaches_a_layer(graph, node)


def _reaches_a_layer(graph: Graph, node: Node) -> bool:
    """Whether another layer reads a node's result, directly or not."""
    consumers, pending, seen = graph.consumers(), [node.name], {node.name}
    while pending:
        for reader in consumers[pending.pop()]:
            if reader.op.rule.weights:
                return True
            pending += [name for name in reader.outputs if name not in seen]
            seen.update(reader.outputs)
    return False


def _moments(graph: Graph, layers: list[Node], part: Part) -> dict[str, tuple[Array, Array]]:
    """Mean and variance of each layer's result before its clamp, over all but the last axis."""
    names = tuple(node.name for node in layers)
    open_ops = {node.name: with_bounds(node.op, -math.inf, math.inf) for node in layers}
    module = to_module(graph).eval()
    values = module.values()
    x = torch.from_numpy(stored_inputs(graph, part.take(SAMPLES).samples))
    found: dict[str, tuple[Array, Array]] = {}
    with torch.no_grad():
        values.update({graph.inputs[0]: x})
        for node in graph.nodes:
            tensors = graph.in_of(node)
            arguments = [values[name] for name in node.inputs]
            if node.name in names:
                (z,) = open_ops[node.name].lower(torch, tensors, *arguments)
                rows = z.reshape(-1, z.shape[-1]).double()
                found[node.name] = (
                    rows.mean(dim=0).numpy(),
                    rows.var(dim=0, unbiased=False).numpy(),
                )
            results = node.op.lower(torch, tensors, *arguments)
            values.update(zip(node.outputs, results, strict=True))
    return found


def _normalized(tensors: dict[str, Tensor], node: Node, mean: Array, variance: Array) -> list[Node]:
    """A layer without clamp, and the normalization with the clamp behind it."""
    (index, axis), *_ = node.op.rule.weights.items()
    assert node.op.rule.bias is not None and axis is not None
    low, high = bounds(node.op) or (-math.inf, math.inf)
    weights, bias = tensors[node.inputs[index]], tensors[node.inputs[node.op.rule.bias]]
    assert weights.data is not None and bias.data is not None
    factor = _factor(weights.data.astype(np.float64), axis)
    shape = [-1 if other == axis else 1 for other in range(weights.data.ndim)]
    tensors[weights.name] = constant(
        weights.name, (weights.data * factor.reshape(shape)).astype(np.float32)
    )
    tensors[bias.name] = constant(bias.name, (bias.data * factor).astype(np.float32))
    root = np.sqrt(factor**2 * variance + EPSILON)
    names = []
    for part, value in {
        "scale": root / factor,
        "offset": mean,
        "mean": mean * factor,
        "variance": variance * factor**2,
    }.items():
        name = _fresh(tensors, f"{node.name}.{part}")
        tensors[name] = constant(name, value.astype(np.float32))
        names.append(name)
    result = _fresh(tensors, f"{node.name}.normalized")
    tensors[result] = replace(tensors[node.name], name=result)
    layer = replace(node, op=with_bounds(node.op, -math.inf, math.inf))
    return [layer, Node(BatchNorm(EPSILON, low, high), (node.name, *names), (result,))]


def _factor(weights: Array, axis: int) -> Array:
    """What brings each channel's weights to the deviation √(2 / fan-in); 1 for dead channels."""
    channels = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
    deviation = np.sqrt(np.square(channels).mean(axis=1))
    wanted = math.sqrt(2.0 / channels.shape[1])
    return np.where(deviation > 1e-12, wanted / np.maximum(deviation, 1e-12), 1.0)


def _fresh(tensors: dict[str, Tensor], wish: str) -> str:
    name, number = wish, 1
    while name in tensors:
        name, number = f"{wish}_{number}", number + 1
    return name
