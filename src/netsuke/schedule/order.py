"""The order in which nodes run: the topological order with the smallest peak."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from netsuke.ir import Graph, Node

STATES = 20_000
"""States that the exact search may visit before it gives up and keeps the given order."""


@dataclass(frozen=True, slots=True)
class Order:
    """Nodes in an order of execution, and whether no order has a smaller peak of live bytes."""

    nodes: tuple[Node, ...]
    optimal: bool


def best_order(graph: Graph, scratch: dict[str, int], states: int = STATES) -> Order:
    """Return the topological order with the smallest peak of live bytes.

    Exact: a best-first search over sets of executed nodes, ordered by the peak so far (a minimax
    shortest path; Liu 1987 shows that the problem is hard in general, but real networks have few
    reachable sets). Beyond `states` visited sets the graph's own order is kept.

    Parameters
    ----------
    graph
        The graph.
    scratch
        Node name -> bytes of scratch while it runs.
    """
    nodes = graph.nodes
    if _is_chain(graph):
        return Order(nodes, True)
    problem = _Problem(graph, scratch)
    heap: list[tuple[int, int, int, int, int]] = [(problem.initial, 0, 0, problem.initial, -1)]
    came: list[tuple[int, int]] = []  # (index of the state before, node taken)
    best: dict[int, int] = {0: problem.initial}
    everything = (1 << len(nodes)) - 1
    while heap:
        peak, _, done, live, trace = heapq.heappop(heap)
        if done == everything:
            return Order(tuple(nodes[i] for i in _walk_back(came, trace)), True)
        if best[done] < peak:
            continue
        if len(best) > states:
            return Order(nodes, False)
        for index in problem.ready(done):
            during, after = problem.run(index, done, live)
            reached, key = max(peak, during), done | (1 << index)
            if reached < best.get(key, 1 << 62):
                best[key] = reached
                came.append((trace, index))
                heapq.heappush(heap, (reached, -key.bit_count(), key, after, len(came) - 1))
    return Order(nodes, False)


def _is_chain(graph: Graph) -> bool:
    """Whether only one topological order exists."""
    made: set[str] = set()
    previous: tuple[str, ...] = ()
    for node in graph.nodes:
        computed = [name for name in node.inputs if name in made]
        if made and not set(computed) & set(previous):
            return False
        made.update(node.outputs)
        previous = node.outputs
    return True


def _walk_back(came: list[tuple[int, int]], trace: int) -> list[int]:
    order = []
    while trace >= 0:
        trace, index = came[trace]
        order.append(index)
    return order[::-1]


class _Problem:
    """Bit masks and sizes that the search works on."""

    def __init__(self, graph: Graph, scratch: dict[str, int]) -> None:
        position = {node.name: i for i, node in enumerate(graph.nodes)}
        producers = graph.producers()
        self.needs: list[int] = []
        self.makes: list[int] = []
        self.scratch = [scratch.get(node.name, 0) for node in graph.nodes]
        self.dies: list[list[tuple[int, int]]] = []  # per node: (readers mask, bytes) of inputs
        consumers = graph.consumers()
        activations = {n: t for n, t in graph.tensors.items() if not t.is_constant}
        for node in graph.nodes:
            mask = 0
            for name in node.inputs:
                if name in producers:
                    mask |= 1 << position[producers[name].name]
            self.needs.append(mask)
            is_view = bool(node.op.views(graph.in_of(node), graph.out_of(node)))
            self.makes.append(0 if is_view else sum(t.size for t in graph.out_of(node)))
            dying = []
            for name in dict.fromkeys(node.inputs):
                if name in activations and name not in graph.outputs:
                    readers = sum(1 << position[r.name] for r in consumers[name])
                    dying.append((readers, 0 if is_view else activations[name].size))
            self.dies.append(dying)
        self.initial = sum(graph.tensors[name].size for name in graph.inputs)

    def ready(self, done: int) -> list[int]:
        return [
            index
            for index, needs in enumerate(self.needs)
            if not done >> index & 1 and needs & ~done == 0
        ]

    def run(self, index: int, done: int, live: int) -> tuple[int, int]:
        """Live bytes while the node runs, and after it."""
        during = live + self.makes[index] + self.scratch[index]
        now = done | (1 << index)
        freed = sum(size for readers, size in self.dies[index] if readers & ~now == 0)
        return during, live + self.makes[index] - freed
