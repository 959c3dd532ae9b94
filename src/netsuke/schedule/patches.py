"""A part of a graph, run patch by patch: the last resort, for borders are computed twice.

Each patch of the part's output is computed from the patch of the input that it needs, before the
next one begins: of the tensors in between only patches exist, but neighbours overlap (MCUNetV2, Lin
et al. 2021, arXiv:2110.15352). Stripes of rows compute nothing twice, but all of their layers keep
rows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netsuke.ir import Box, Graph, Node, Tile


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """How consecutive nodes run in patches.

    Attributes
    ----------
    nodes
        The nodes, in order; the last one makes the only tensor that others read.
    grid
        Patches of the output, row by row: for each the rectangles of all tensors that are made.
    """

    nodes: tuple[Node, ...]
    grid: tuple[tuple[Mapping[str, Box], ...], ...]

    @property
    def count(self) -> int:
        return sum(map(len, self.grid))

    def each(self) -> Iterator[Mapping[str, Box]]:
        """The patches in the order in which they are computed."""
        for row in self.grid:
            yield from row


def tile_of(graph: Graph, node: Node, box: Box) -> Tile:
    """The tile of a node that is known to have it."""
    tile = node.op.tile(graph.in_of(node), box)
    assert tile is not None, "the rectangles were found out with the same tiles"
    return tile


def patches(graph: Graph, nodes: Sequence[Node], rows: int, columns: int) -> Patches | None:
    """Find out which rectangles of each tensor the patches of a part of the graph need.

    Parameters
    ----------
    graph
        The graph.
    nodes
        Nodes in the order of execution; nobody else may read what they make, but for the last.
    rows, columns
        Of a patch of the last node's output.

    Returns
    -------
    Patches or None
        None where an operator cannot be cut, or where there would be one patch.
    """
    height, width, _ = graph.tensors[nodes[-1].name].shape
    grid = []
    for top in range(0, height, rows):
        line = []
        for left in range(0, width, columns):
            box = (top, min(height, top + rows)), (left, min(width, left + columns))
            needs = _needs(graph, nodes, box)
            if needs is None:
                return None
            line.append(needs)
        grid.append(tuple(line))
    if len(grid) * len(grid[0]) < 2:
        return None
    return Patches(tuple(nodes), tuple(grid))


def _needs(graph: Graph, nodes: Sequence[Node], box: Box) -> dict[str, Box] | None:
    """The rectangles of all tensors that a rectangle of the last one needs."""
    needs = {nodes[-1].name: box}
    inside = {node.name for node in nodes}
    for node in reversed(nodes):
        if node.name not in needs:
            continue
        if len(node.outputs) != 1 or len(graph.tensors[node.name].shape) != 3:
            return None
        tile = node.op.tile(graph.in_of(node), needs[node.name])
        if tile is None:
            return None
        for name, read in zip(node.inputs, tile.reads, strict=True):
            if name in inside:
                shape = graph.tensors[name].shape
                wanted = read or ((0, shape[0]), (0, shape[1]))
                needs[name] = _hull(needs.get(name, wanted), wanted)
    return needs


def _hull(one: Box, other: Box) -> Box:
    rows, columns = ((min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(one, other, strict=True))
    return rows, columns
