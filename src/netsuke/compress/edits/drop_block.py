"""Dropping parts of a network whose input may stand for their output.

Two kinds, both found from the dataflow:

- *Branches* into an addition y = s(x) + f(x): without the body f, y = s(x); the shortcut s may be a
  projection. The branch with more work is the body (for equal ones the second).
- *Chains*: regions with one entry and one exit of the same shape that hold a layer; without
  one, its exit is its entry. Only the smallest are offered. A depthwise convolution and the layer
  that reads it go together, and so do a layer and the normalization and activation behind it, a
  gate and the product that it is a factor of (squeeze and excitation becomes the identity).

Parts that overlap are alternatives: they share `Edit.place`, so that at most one is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from netsuke.compress.edits.edit import Edit, Kind
from netsuke.compress.edits.regions import Dataflow
from netsuke.errors import GraphError
from netsuke.ir import Graph, Node
from netsuke.ops import Add, Clamp, Mul
from netsuke.passes.drop_dead_nodes import drop_dead_nodes


@dataclass(frozen=True, slots=True)
class Block:
    """A part that can be dropped.

    Attributes
    ----------
    exit
        The tensor that it makes.
    kept
        The tensor that stands for it.
    nodes
        Names of the nodes that go.
    """

    exit: str
    kept: str
    nodes: frozenset[str]


def find_blocks(graph: Graph) -> tuple[Block, ...]:
    """All parts of a graph that can be dropped, in the order in which they end."""
    flow = Dataflow(graph)
    every = _bodies(flow)
    # An addition around further ones is no smallest part; theirs are offered instead.
    inner = {block.exit for block in every}
    bodies = [block for block in every if not block.nodes & inner]
    order = {name: step for step, node in enumerate(graph.nodes) for name in node.outputs}
    found = (*bodies, *_chains(flow, every))
    return tuple(sorted(found, key=lambda block: order[block.exit]))


def _bodies(flow: Dataflow) -> list[Block]:
    found = []
    for node in flow.graph.nodes:
        block = _body(flow, node) if isinstance(node.op, Add) else None
        if block is not None and node.name not in flow.graph.outputs:
            found.append(block)
    return found


def _body(flow: Dataflow, node: Node) -> Block | None:
    """What an addition can do without."""
    sources = flow.sources(node)
    if len(sources) != 2 or len(node.inputs) != 2:
        return None
    best, work = None, 0
    for kept, lost in (tuple(sources), tuple(reversed(sources))):
        gone = flow.only_for(lost, node)
        macs = sum(flow.macs[name] for name in gone)
        same = flow.graph.tensors[kept].type == flow.graph.tensors[node.name].type
        if same and macs > work:
            best, work = Block(node.name, kept, gone), macs
    return best


def _chains(flow: Dataflow, bodies: Sequence[Block]) -> list[Block]:
    """Regions between tensors of one shape, from front to back, none of which overlap."""
    found: list[Block] = []
    taken: set[str] = set()
    sums = {block.exit for block in bodies}
    whole = {block.nodes for block in bodies}
    for node in flow.graph.nodes:
        for name in node.outputs:
            block = _chain(flow, name) if _may_end(flow, name) else None
            if block is None or block.nodes & sums or block.nodes in whole:
                continue
            if not block.nodes & taken:
                found.append(block)
                taken |= block.nodes
    return found


def _may_end(flow: Dataflow, name: str) -> bool:
    """Whether a chain may end with a tensor: a layer is done here, and others come behind."""
    if name in flow.graph.outputs or _is_unfinished(flow, name) or _is_factor(flow, name):
        return False
    layer = flow.layer_behind(name)
    if layer is None or (flow.macs[layer.name] and not flow.mixes_channels(layer)):
        return False
    return _leads_to_a_layer(flow, name)


def _is_unfinished(flow: Dataflow, name: str) -> bool:
    """Whether a normalization or an activation goes on with a tensor."""
    readers = flow.readers[name]
    return len(readers) == 1 and flow.follows(readers[0])


def _is_factor(flow: Dataflow, name: str) -> bool:
    """Whether a tensor is a gate: nothing of its shape but 1 could stand for it in the product."""
    return any(
        isinstance(reader.op, Mul) and len(flow.sources(reader)) > 1
        for reader in flow.readers[name]
    )


def _leads_to_a_layer(flow: Dataflow, name: str) -> bool:
    pending, seen = [name], {name}
    while pending:
        for reader in flow.readers[pending.pop()]:
            if reader.op.rule.weights:
                return True
            pending += [made for made in reader.outputs if made not in seen]
            seen.update(reader.outputs)
    return False


def _chain(flow: Dataflow, exit: str) -> Block | None:
    """The smallest region that ends with a tensor, begins with its like, and holds a layer."""
    kind = flow.graph.tensors[exit].type
    for entry in flow.dominators(exit):
        if flow.graph.tensors[entry].type != kind or _is_unfinished(flow, entry):
            continue
        nodes = flow.between(entry, exit)
        if nodes is None or not any(flow.mixes_channels(flow.makers[name]) for name in nodes):
            continue
        if not _parts_a_pair(flow, entry, nodes):
            return Block(exit, entry, nodes)
    return None


def _parts_a_pair(flow: Dataflow, entry: str, nodes: frozenset[str]) -> bool:
    """Whether a region begins between a depthwise convolution and the layer that reads it."""
    layer = flow.layer_behind(entry)
    if layer is None or not flow.macs[layer.name] or flow.mixes_channels(layer):
        return False
    return any(reader.name in nodes and flow.macs[reader.name] for reader in flow.readers[entry])


def _places(blocks: Sequence[Block]) -> dict[str, str]:
    """Exit of each block -> the exit of the largest of those that it overlaps with."""
    clusters: list[tuple[set[str], list[Block]]] = []
    for block in blocks:
        touching = [cluster for cluster in clusters if cluster[0] & block.nodes]
        clusters = [cluster for cluster in clusters if not cluster[0] & block.nodes]
        members = [member for cluster in touching for member in cluster[1]]
        nodes = block.nodes.union(*(cluster[0] for cluster in touching))
        clusters.append((set(nodes), [*members, block]))
    return {
        block.exit: max(members, key=lambda member: len(member.nodes)).exit
        for _, members in clusters
        for block in members
    }


def _offers(graph: Graph) -> tuple[Edit, ...]:
    blocks = find_blocks(graph)
    places = _places(blocks)
    return tuple(Edit("drop_block", places[block.exit], block.exit) for block in blocks)


def _apply(graph: Graph, edits: Sequence[Edit], origin: Graph) -> Graph:
    found = find_blocks(origin)
    blocks, places = {block.exit: block for block in found}, _places(found)
    kept: dict[str, str] = {}
    for edit in edits:
        block = blocks.get(str(edit.value))
        if block is None or places[block.exit] != edit.place:
            raise GraphError(
                edit.place, f"no part that could be dropped there ends with {edit.value!r}"
            )
        kept[block.exit] = block.kept
    return drop(graph, kept)


def drop(graph: Graph, kept: dict[str, str]) -> Graph:
    """The graph with some tensors replaced by others of the same shape, without idle nodes.

    Parameters
    ----------
    graph
        A float graph.
    kept
        Exit of a block -> the tensor that stands for it. An addition's clamp stays.
    """
    nodes: list[Node] = []
    instead: dict[str, str] = {}
    for node in graph.nodes:
        node = replace(node, inputs=tuple(instead.get(name, name) for name in node.inputs))
        for name in set(node.outputs) & kept.keys():
            source = instead.get(kept[name], kept[name])
            if graph.tensors[source].type != graph.tensors[name].type:
                raise GraphError(name, f"has no longer the shape of {source!r}")
            if isinstance(node.op, Add) and (node.op.low, node.op.high) != (-math.inf, math.inf):
                node = Node(Clamp(node.op.low, node.op.high), (source,), (name,))
            else:
                instead[name] = source
        nodes.append(node)
    return drop_dead_nodes(replace(graph, nodes=tuple(nodes)))


DROP_BLOCK = Kind("drop_block", _offers, _apply)
