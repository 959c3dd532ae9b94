"""Bytes that no plan can go below at a step, whatever kernels the other nodes get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule.buffer import aligned
from netsuke.schedule.buffers import Sharing, share
from netsuke.schedule.lives import Lives


class Floor:
    """For each step, the bytes of the tensors that live then.

    Tensors that live at one step lie apart, but for views, and for the input and the output of
    this step's own node when that works in place. So what a step needs depends on its own kernel
    and on no other, up to gaps that a layout cannot close.

    Parameters
    ----------
    graph, nodes
        The graph, and its nodes in the order of execution.
    candidates
        Kernels of every node.
    """

    def __init__(
        self,
        graph: Graph,
        nodes: Sequence[Node],
        candidates: Mapping[str, Sequence[Kernel]],
    ) -> None:
        self._graph = graph
        plain = {
            name: replace(kernels[0], inplace=(), scratch=None)
            for name, kernels in candidates.items()
        }
        self._lives = Lives(graph, nodes)
        self.live = self._live(nodes, share(graph, nodes, plain))

    def needed(self, step: int, node: Node, kernel: Kernel) -> int:
        """Bytes that the step needs at least with this kernel."""
        return self.live[step] + aligned(kernel.scratch or 0) - self._saved(step, node, kernel)

    def _saved(self, step: int, node: Node, kernel: Kernel) -> int:
        """Most bytes that working in place can save at the node's own step."""
        saved: dict[int, int] = {}
        for source, target in kernel.inplace:
            dying = self._graph.tensors[node.inputs[source]]
            if not dying.is_constant and self._lives.whole(dying.name) == step:
                size = min(dying.size, self._graph.tensors[node.outputs[target]].size)
                saved[target] = max(saved.get(target, 0), aligned(size))
        return sum(saved.values())

    def _live(self, nodes: Sequence[Node], sharing: Sharing) -> list[int]:
        groups: dict[str, list[str]] = {}
        tied = self._tied(nodes, sharing)
        for name, (key, _) in sharing.inside.items():
            groups.setdefault(tied.get(key, key), []).append(name)
        total = [0] * len(nodes)
        for group, names in groups.items():
            stays = [
                (born, last, sharing.inside[name][1] + low, sharing.inside[name][1] + high)
                for name in names
                for born, last, low, high in self._lives.stays(name)
            ]
            start, end = min(stays)[0], max(last for _, last, *_ in stays)
            for step in range(max(0, start), min(len(nodes) - 1, end) + 1):
                living = [(low, high) for a, b, low, high in stays if a <= step <= b]
                total[step] += aligned(_bytes(living, group in tied))
        return total

    def _tied(self, nodes: Sequence[Node], sharing: Sharing) -> dict[str, str]:
        """Buffers that another choice of kernels might let a view merge: each to one of them."""
        tied: dict[str, str] = {}
        for node in nodes:
            names = [name for name in (*node.inputs, *node.outputs) if name in sharing.inside]
            refused = node.name not in sharing.skipped
            if refused and node.op.views(self._graph.in_of(node), self._graph.out_of(node)):
                keys = [sharing.inside[name][0] for name in names]
                roots = {tied.get(key, key) for key in keys}
                merged = roots | {key for key, root in tied.items() if root in roots}
                tied |= dict.fromkeys(merged, min(roots))
        return tied


def _bytes(spans: Sequence[tuple[int, int]], tied: bool) -> int:
    """Distinct bytes of spans of one buffer; where buffers may merge, only what is sure."""
    if tied:
        return max((high - low for low, high in spans), default=0)
    covered, top = 0, 0
    for low, high in sorted(spans):
        covered += max(0, high - max(low, top))
        top = max(top, high)
    return covered
