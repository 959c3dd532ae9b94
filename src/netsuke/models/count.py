"""How many parameters a network learns, as papers count them."""

from __future__ import annotations

from netsuke.ir import Graph, Node
from netsuke.ops import AveragePool2d, BatchNorm, ChannelShuffle, Concat, MaxPool2d, Split

CARRIERS = (AveragePool2d, ChannelShuffle, Concat, MaxPool2d, Split)
"""What hands a constant that is added to a channel on to a normalization behind it."""


def learned_parameters(graph: Graph) -> int:
    """Return the parameters that training changes, which is what papers count.

    Weights, biases, and the scales and offsets of batch normalizations count. What a
    normalization measures (mean, variance) does not, nor does the bias of a layer that only
    normalizations read, directly or through poolings, concatenations and the like: they subtract
    it again, so networks are defined without. `Graph.parameters` counts all numbers.
    """
    measured = {node.inputs[index] for node in graph.nodes for index in node.op.measured}
    consumers = graph.consumers()
    idle = {
        node.inputs[node.op.rule.bias]
        for node in graph.nodes
        if node.op.rule.bias is not None and _is_normalized(graph, node, consumers)
    }
    return sum(
        tensor.elements
        for tensor in graph.constants()
        if tensor.dtype == "float32" and tensor.name not in measured | idle
    )


def _is_normalized(graph: Graph, layer: Node, consumers: dict[str, list[Node]]) -> bool:
    """Whether everything that reads a layer's result normalizes it first."""
    pending, seen = [layer.name], set(graph.outputs)
    while pending:
        name = pending.pop()
        if name in seen:
            if name in graph.outputs:
                return False
            continue
        seen.add(name)
        if not consumers[name]:
            continue
        for reader in consumers[name]:
            if isinstance(reader.op, CARRIERS):
                pending += reader.outputs
            elif not isinstance(reader.op, BatchNorm):
                return False
    return True
