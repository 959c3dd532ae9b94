"""Which quantization each activation gets."""

from __future__ import annotations

from collections.abc import Mapping

from netsuke.compress.quantize.ranges import Statistics, affine_quant, choose_range
from netsuke.ir import Graph, Node, Quant


def real_activations(graph: Graph, node: Node) -> list[str]:
    """The float activations that a node reads and makes, without what is left as it is."""
    names = [
        name
        for number, name in enumerate(node.inputs)
        if number not in node.op.rule.float_inputs and not graph.tensors[name].is_constant
    ]
    return [name for name in (*names, *node.outputs) if graph.tensors[name].dtype == "float32"]


def share_groups(graph: Graph) -> dict[str, str]:
    """Tensor -> the first tensor of those that must share its quantization (union-find)."""
    parent = {
        name: name
        for name, tensor in graph.tensors.items()
        if not tensor.is_constant and tensor.dtype == "float32"
    }

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for node in graph.nodes:
        if node.op.rule.shared:
            names = real_activations(graph, node)
            for name in names[1:]:
                parent[root(name)] = root(names[0])
    return {name: root(name) for name in parent}


def assign_quants(
    graph: Graph, statistics: Mapping[str, Statistics], method: str, percentile: float
) -> dict[str, Quant]:
    """The quantization of every float activation.

    Tensors that must share one get the range of all of them together. Outputs that an operator
    fixes (softmax: 1/256 and -128) keep theirs; so does everything that shares with them, if the
    fixed range covers it. Otherwise the fixed tensor stands alone, and whoever needs the shared
    quantization requantizes it.
    """
    groups = share_groups(graph)
    fixed = {
        node.outputs[number]: quant
        for node in graph.nodes
        for number, quant in node.op.rule.fixed.items()
        if graph.tensors[node.outputs[number]].dtype == "float32"
    }
    members: dict[str, list[str]] = {}
    for name, group in groups.items():
        members.setdefault(group, []).append(name)
    quants: dict[str, Quant] = {}
    for names in members.values():
        demands = {fixed[name] for name in names if name in fixed}
        merged = _merged([statistics[name] for name in names])
        if len(demands) == 1 and _covers(next(iter(demands)), merged):
            quants.update(dict.fromkeys(names, next(iter(demands))))
            continue
        quant = affine_quant(*choose_range(merged, method, percentile))
        quants.update({name: fixed.get(name, quant) for name in names})
    return quants


def _merged(parts: list[Statistics]) -> Statistics:
    result = parts[0]
    for part in parts[1:]:
        result = result.merged(part)
    return result


def _covers(quant: Quant, statistics: Statistics) -> bool:
    (scale,), (zero,) = quant.scale, quant.zero_point
    low, high = (scale * (end - zero) for end in quant.range)
    return statistics.low >= low - scale and statistics.high <= high + scale
