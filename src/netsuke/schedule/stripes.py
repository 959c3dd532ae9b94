"""A part of a graph, rewritten to run in stripes of rows that are forgotten when they are used up.

Stripe after stripe, each layer computes the rows that the layers behind it need next. A layer whose
windows overlap keeps the last rows of its input: they move to the front of their memory, and the
next rows are computed behind them, so nothing is computed twice. Every row comes from the same
operator on the same rows as before, so all bits stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netsuke.ir import Graph, Node, Tile

Rows = tuple[int, int]
"""First row, end of rows."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What happens to one tensor while one stripe is computed.

    Attributes
    ----------
    new
        Rows that are computed, or None.
    window
        Rows that are in memory once they are.
    kept
        Rows of the window that the next stage still needs; None if there are none.
    """

    new: Rows | None
    window: Rows
    kept: Rows | None


@dataclass(frozen=True, slots=True, eq=False)
class Stripes:
    """How consecutive nodes run in stripes.

    Attributes
    ----------
    nodes
        The nodes, in order; the last one makes the only tensor that others read.
    stages
        Tensor -> its stages, as many as there are stripes.
    """

    nodes: tuple[Node, ...]
    stages: Mapping[str, tuple[Stage, ...]]

    @property
    def count(self) -> int:
        return len(self.stages[self.nodes[-1].name])

    def tile(self, graph: Graph, node: Node, rows: Rows) -> Tile:
        found = _tile(graph, node, rows)
        assert found is not None, "rows were found out with the same tiles"
        return found


def _tile(graph: Graph, node: Node, rows: Rows) -> Tile | None:
    if len(graph.tensors[node.name].shape) != 3 or len(node.outputs) != 1:
        return None
    return node.op.tile(graph.in_of(node), (rows, (0, graph.tensors[node.name].shape[1])))


def stripes(graph: Graph, nodes: Sequence[Node], height: int) -> Stripes | None:
    """Find out which rows of each tensor the stripes of a part of the graph need.

    Parameters
    ----------
    graph
        The graph.
    nodes
        Nodes in the order of execution; nobody else may read what they make, but for the last.
    height
        Rows of the last node's output in one stripe.

    Returns
    -------
    Stripes or None
        None where an operator cannot be cut into rows, or where there would be one stripe.
    """
    rows = graph.tensors[nodes[-1].name].shape[0]
    count = -(-rows // height)
    if count < 2:
        return None
    ends = [min(rows, height * (stage + 1)) for stage in range(count)]
    needs: dict[str, list[list[Rows]]] = {node.name: [[] for _ in ends] for node in nodes}
    stages: dict[str, tuple[Stage, ...]] = {}
    for node in reversed(nodes):
        if node is nodes[-1]:
            spans = list(zip([0, *ends], ends, strict=False))
            stages[node.name] = tuple(Stage(span, span, None) for span in spans)
        else:
            stages[node.name] = tuple(_stages(needs[node.name]))
        for stage, state in enumerate(stages[node.name]):
            tile = _tile(graph, node, state.new) if state.new else None
            if state.new and tile is None:
                return None
            for name, box in zip(node.inputs, tile.reads if tile else (), strict=False):
                if name in needs:
                    needs[name][stage].append(box[0] if box else (0, graph.tensors[name].shape[0]))
    return Stripes(tuple(nodes), stages)


def _stages(needs: Sequence[Sequence[Rows]]) -> Iterator[Stage]:
    """The stages of a tensor of which these rows are needed at each."""
    first = [1 << 30]  # row that this or a later stage needs
    for wanted in reversed(needs):
        first.append(min([first[-1], *(rows[0] for rows in wanted)]))
    first.reverse()
    done, kept = 0, None
    for at, wanted in enumerate(needs):
        start, end = max(done, first[at]), max([done, *(rows[1] for rows in wanted)])
        new = (start, end) if start < end else None
        window = (kept[0], end) if kept else new or (done, done)
        rest = (max(first[at + 1], window[0]), window[1])
        done, kept = max(done, end), rest if rest[0] < rest[1] else None
        yield Stage(new, window, kept)
