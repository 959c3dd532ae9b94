"""Drop what no output depends on."""

from __future__ import annotations

from dataclasses import replace

from netsuke.ir import Graph, Node


def drop_dead_nodes(graph: Graph) -> Graph:
    """Drop nodes and tensors that no graph output depends on; inputs stay."""
    live = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if live.intersection(node.outputs):
            live.update(node.inputs)
            live.update(node.outputs)
            kept.append(node)
    live.update(graph.inputs)
    if len(kept) == len(graph.nodes) and len(live) == len(graph.tensors):
        return graph
    tensors = {name: tensor for name, tensor in graph.tensors.items() if name in live}
    return replace(graph, nodes=tuple(reversed(kept)), tensors=tensors)
