"""The least RAM that any plan of a network needs, however narrow its layers become.

No plan is made. What must be in memory at once is told from the dataflow:

- before anything runs, all of the graph's inputs, and in the end all of its outputs;
- when a node begins, all that it reads, and when it is done, all that it made. It may work in
  place: so the larger of the two counts, not their sum.

A node whose operator can compute a part of its output from a part of its input may run in stripes
or patches and then never sees its tensors whole; it counts only where it must, for an output of one
pixel. Tensors that a plan may lay over each other (views) count once. Each of these bytes has to
lie in the arena, so no order, no kernels, no offsets and no stripes need less.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from netsuke.ir import ITEMSIZE, Graph, Node, Op, Tensor
from netsuke.passes.channel_groups import ChannelGroup, channel_groups

Extents = Mapping[str, tuple[int, ...]]


def least_ram(
    graph: Graph, groups: Sequence[ChannelGroup] | None = None, stripes: bool = True
) -> tuple[int, str]:
    """Return the bytes that the arena of an int8 version of a network takes at least, and where.

    Parameters
    ----------
    graph
        A network as `netsuke.passes.optimize` leaves it; real numbers count one byte each.
    groups
        Groups of channels of which one unit each is left; None finds them, ``()`` leaves all.
    stripes
        Whether the plan may rewrite parts of the graph into stripes and patches, as it does where
        RAM is short. Without, every node sees its tensors whole.

    Returns
    -------
    tuple of int and str
        Bytes, and the node (or graph input) at which they are needed.
    """
    extents = _narrowest(graph, channel_groups(graph) if groups is None else groups)
    sizes = {name: _bytes(graph.tensors[name], shape) for name, shape in extents.items()}
    shared = _shared(graph)
    first = graph.inputs[0] if graph.inputs else ""
    best = (_total(graph.inputs, sizes, shared), first)
    for node in graph.nodes:
        parts = _parts(graph, node, extents) if stripes else ()
        if parts is None:
            continue
        reads = [name for name in dict.fromkeys(node.inputs) if name in sizes]
        seen = {**sizes, **dict(parts)}
        # A slice only looks at a part of what it reads; the rest may be gone.
        looks = type(node.op).views is not Op.views
        needed = max(
            0 if looks else _total(reads, seen, shared), _total(node.outputs, sizes, shared)
        )
        best = max(best, (needed, node.name), key=lambda item: item[0])
    last = graph.outputs[0] if graph.outputs else ""
    return max(best, (_total(graph.outputs, sizes, shared), last), key=lambda item: item[0])


def _narrowest(graph: Graph, groups: Iterable[ChannelGroup]) -> dict[str, tuple[int, ...]]:
    """Shapes of the activations with one unit left of every group."""
    shapes = {name: list(t.shape) for name, t in graph.tensors.items() if not t.is_constant}
    for group in groups:
        for (name, axis), places in group.members.items():
            if name in shapes:
                shapes[name][axis] -= (group.units - 1) * places.shape[1]
    return {name: tuple(shape) for name, shape in shapes.items()}


def _bytes(tensor: Tensor, shape: Sequence[int]) -> int:
    return math.prod(shape) * (1 if tensor.dtype == "float32" else ITEMSIZE[tensor.dtype])


def _shared(graph: Graph) -> dict[str, str]:
    """Tensor -> one that stands for all that may lie in the same bytes."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.get(name, name) != name:
            name = root[name]
        return name

    for node in graph.nodes:
        if type(node.op).views is not Op.views:
            for name in (*node.inputs, *node.outputs):
                root[find(name)] = find(node.name)
    return {name: find(name) for name in graph.tensors}


def _total(names: Iterable[str], sizes: Mapping[str, int], shared: Mapping[str, str]) -> int:
    """Bytes of some tensors; of those that may be one buffer, the largest."""
    most: dict[str, int] = {}
    for name in names:
        if name in sizes:
            most[shared[name]] = max(most.get(shared[name], 0), sizes[name])
    return sum(most.values())


def _parts(graph: Graph, node: Node, extents: Extents) -> list[tuple[str, int]] | None:
    """What a node that may run in parts still needs whole: (input, bytes); None for nothing.

    The list is empty for a node that can't run in parts.
    """
    outputs, inputs = graph.out_of(node), graph.in_of(node)
    if len(outputs) != 1 or len(outputs[0].shape) != 3:
        return []
    height, width, _ = outputs[0].shape
    tile = node.op.tile(inputs, ((0, height), (0, width)))
    if tile is None:
        row = node.op.tile(inputs, ((0, 1), (0, width)))
        return [] if row is None else None
    if height * width > 1:
        return None
    found = []
    for tensor, box in zip(inputs, tile.reads, strict=True):
        if box is not None and tensor.name in extents:
            area = math.prod(end - start for start, end in box)
            whole = extents[tensor.name]
            found.append((tensor.name, _bytes(tensor, (area, *whole[2:]))))
    return found
