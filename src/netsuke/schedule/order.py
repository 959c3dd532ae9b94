"""The order in which nodes run: the topological order with the smallest peak."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from netsuke.ir import Graph, Node

STATES = 20_000
"""States that the exact search may visit before it gives up."""
WIDTH, STEPS = 16, 200_000
"""States that the beam keeps at most, and about how many steps it may try in all."""


@dataclass(frozen=True, slots=True)
class Order:
    """Nodes in an order of execution, and whether no order has a smaller peak of live bytes."""

    nodes: tuple[Node, ...]
    optimal: bool


def best_order(graph: Graph, scratch: dict[str, int], states: int = STATES) -> Order:
    """Return the topological order with the smallest peak of live bytes.

    Exact: a best-first search over sets of executed nodes, ordered by the peak so far (a minimax
    shortest path; Liu 1987 shows that the problem is hard in general, but real networks have few
    reachable sets). Beyond `states` visited sets a beam search goes on without a proof.

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
            break
        for index in problem.ready(done):
            during, after = problem.run(index, done, live)
            reached, key = max(peak, during), done | (1 << index)
            if reached < best.get(key, 1 << 62):
                best[key] = reached
                came.append((trace, index))
                heapq.heappush(heap, (reached, -key.bit_count(), key, after, len(came) - 1))
    return Order(tuple(nodes[i] for i in _beam(problem)), False)


def _beam(problem: _Problem) -> list[int]:
    """An order by beam search: at each step the states with the lowest peak, then fewest live.

    Ties go to the state that took the earlier nodes of the graph's own order.
    """
    start = tuple(problem.ready(0))
    states = [(problem.initial, problem.initial, 0, start, -1)]
    came: list[tuple[int, int]] = []
    left = STEPS
    for remaining in range(len(problem.needs), 0, -1):
        reached: dict[int, tuple[int, int, tuple[int, ...], int, int]] = {}
        for peak, live, done, ready, trace in states:
            left -= len(ready)
            for index in ready:
                during, after = problem.run(index, done, live)
                key, highest = done | (1 << index), max(peak, during)
                if key not in reached or highest < reached[key][0]:
                    reached[key] = (highest, after, ready, trace, index)
        most = max(len(ready) for *_, ready, _ in states)
        width = max(1, min(WIDTH, left // (remaining * most)))
        kept = heapq.nsmallest(width, reached.items(), key=lambda item: (item[1][:2], item[0]))
        states = []
        for done, (peak, live, ready, trace, index) in kept:
            came.append((trace, index))
            states.append((peak, live, done, problem.next(ready, index, done), len(came) - 1))
    return _walk_back(came, states[0][4])


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


@dataclass(slots=True)
class _Group:
    """Tensors that views tie together: allocated as one, freed as one."""

    size: int
    makers: int = 0  # mask of the nodes that write into it
    users: int = 0  # mask of the nodes that write or read it
    stays: bool = False  # it holds a graph output


class _Problem:
    """Bit masks and sizes that the search works on."""

    def __init__(self, graph: Graph, scratch: dict[str, int]) -> None:
        producers, consumers = graph.producers(), graph.consumers()
        position = {node.name: i for i, node in enumerate(graph.nodes)}
        self.scratch = [scratch.get(node.name, 0) for node in graph.nodes]
        self.needs = [
            sum({1 << position[producers[n].name] for n in node.inputs if n in producers})
            for node in graph.nodes
        ]
        self.readers = [
            sorted({position[reader.name] for name in node.outputs for reader in consumers[name]})
            for node in graph.nodes
        ]
        root = _view_roots(graph)
        self.groups: dict[str, _Group] = {}
        for name, tensor in graph.tensors.items():
            if not tensor.is_constant:
                group = self.groups.setdefault(root[name], _Group(0))
                group.size = max(group.size, tensor.size)
                group.stays |= name in graph.outputs
        self.touched: list[list[_Group]] = []
        for index, node in enumerate(graph.nodes):
            names = [n for n in (*node.inputs, *node.outputs) if n in root]
            keys = dict.fromkeys(root[name] for name in names)
            self.touched.append([self.groups[key] for key in keys])
            for key in keys:
                self.groups[key].users |= 1 << index
            for name in node.outputs:
                self.groups[root[name]].makers |= 1 << index
        given = {root[name] for name in graph.inputs if name in root}
        self.initial = sum(self.groups[key].size for key in given)
        self.given = {id(self.groups[key]) for key in given}

    def ready(self, done: int) -> list[int]:
        return [
            index
            for index, needs in enumerate(self.needs)
            if not done >> index & 1 and needs & ~done == 0
        ]

    def next(self, ready: tuple[int, ...], taken: int, done: int) -> tuple[int, ...]:
        """Nodes that are ready after one of those that were has run."""
        freed = [i for i in self.readers[taken] if self.needs[i] & ~done == 0]
        return (*(i for i in ready if i != taken), *freed)

    def run(self, index: int, done: int, live: int) -> tuple[int, int]:
        """Live bytes while the node runs, and after it."""
        now = done | (1 << index)
        during = live + self.scratch[index]
        after = live
        for group in self.touched[index]:
            if (
                group.makers >> index & 1
                and not group.makers & done
                and id(group) not in self.given
            ):
                during += group.size
                after += group.size
            if not group.stays and group.users & ~now == 0:
                after -= group.size
        return during, after


def _view_roots(graph: Graph) -> dict[str, str]:
    """Activation name -> the name that stands for all tensors that views tie to it."""
    parent = {name: name for name, tensor in graph.tensors.items() if not tensor.is_constant}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    taken: set[str] = set()  # tensors that already lie inside a gathered one
    for node in graph.nodes:
        inputs, outputs = graph.in_of(node), graph.out_of(node)
        sides = {"in": inputs, "out": outputs}
        views = node.op.views(inputs, outputs)
        gathered = [inputs[view.inner[1]].name for view in views if view.inner[0] == "in"]
        if len(set(gathered)) < len(gathered) or taken.intersection(gathered):
            continue
        taken.update(gathered)
        for view in views:
            inner, outer = sides[view.inner[0]][view.inner[1]], sides[view.outer[0]][view.outer[1]]
            if inner.name in parent and outer.name in parent:
                parent[find(inner.name)] = find(outer.name)
    return {name: find(name) for name in parent}
