"""Which kernel runs each node: first for the smallest arena, then for speed within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule.buffers import share
from netsuke.schedule.offsets import lay_out, live, lower_bound

Candidates = Mapping[str, Sequence[Kernel]]
"""Node name -> kernels that can run it."""
PATIENCE = 300_000
"""Nodes that all trials of `smallest`, or of `fastest`, may visit together: some seconds."""
LONG = 100
"""Nodes beyond which `smallest` may start with kernels that work in place."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Kernels by node, the bytes that they need at each step, largest first, and the step of the
    largest."""

    kernels: Mapping[str, Kernel]
    profile: tuple[int, ...]
    peak: int


def smallest(graph: Graph, nodes: Sequence[Node], candidates: Candidates) -> dict[str, Kernel]:
    """Kernels for the smallest peak: steepest descent from those with the least scratch.

    At each round every other kernel is tried for the nodes around the highest step; the one that
    lowers the sorted live bytes of all steps most is taken. Working in place saves a buffer, but
    may keep a large one alive and may want scratch, so only trying tells. In a long graph, where
    hundreds of steps may be as high, it starts where most work in place if that needs less, and
    stops when it has tried for long (`PATIENCE`).

    Parameters
    ----------
    graph
        The graph.
    nodes
        Its nodes in the order of execution.
    candidates
        Kernels of every node.
    """
    start = {name: min(kernels, key=_by_scratch) for name, kernels in candidates.items()}
    best = _judge(graph, nodes, start)
    left = PATIENCE // max(1, len(nodes))
    if len(nodes) > LONG:
        eager = {name: min(kernels, key=_by_place) for name, kernels in candidates.items()}
        best = min(best, _judge(graph, nodes, eager), key=lambda choice: choice.profile)
    while left > 0:
        trials = [
            _judge(graph, nodes, {**best.kernels, name: kernel})
            for name in _around_peak(graph, nodes, best)
            for kernel in _alternatives(candidates[name], best.kernels[name])
        ]
        better = min(trials, key=lambda choice: choice.profile, default=best)
        if better.profile >= best.profile:
            break
        best = better
        left -= len(trials)
    return dict(best.kernels)


def live_peak(graph: Graph, nodes: Sequence[Node], candidates: Candidates) -> int:
    """Largest sum of tensors that live at one step, if nothing works in place or wants scratch."""
    plain = {
        name: replace(kernels[0], inplace=(), scratch=None) for name, kernels in candidates.items()
    }
    return lower_bound(list(share(graph, nodes, plain).buffers.values()))


def fastest(
    graph: Graph,
    nodes: Sequence[Node],
    candidates: Candidates,
    start: Mapping[str, Kernel],
    budget: int,
) -> dict[str, Kernel]:
    """Replace kernels by faster ones while all buffers fit the budget, the largest gain first.

    In graphs of thousands of nodes the smallest gains are left out (`PATIENCE`).

    Parameters
    ----------
    start
        Kernels that fit.
    budget
        Bytes of the arena.
    """
    chosen, left = dict(start), PATIENCE // max(1, len(nodes))
    gains = {
        name: chosen[name].instructions - min(k.instructions for k in kernels)
        for name, kernels in candidates.items()
    }
    for name in sorted(gains, key=lambda name: -gains[name]):
        for kernel in sorted(candidates[name], key=lambda kernel: kernel.instructions):
            if kernel.instructions >= chosen[name].instructions:
                break
            left -= 1
            if left < 0:
                return chosen
            if _fits(graph, nodes, {**chosen, name: kernel}, budget):
                chosen[name] = kernel
                break
    return chosen


def _by_scratch(kernel: Kernel) -> tuple[int, int, float]:
    return (kernel.scratch or 0, -len(kernel.inplace), kernel.instructions)


def _by_place(kernel: Kernel) -> tuple[int, int, float]:
    return (-len(kernel.inplace), kernel.scratch or 0, kernel.instructions)


def _alternatives(kernels: Sequence[Kernel], current: Kernel) -> list[Kernel]:
    """Other kernels that need other memory."""
    needs = {(current.scratch or 0, current.inplace)}
    others = []
    for kernel in kernels:
        need = (kernel.scratch or 0, kernel.inplace)
        if need not in needs:
            needs.add(need)
            others.append(kernel)
    return others


def _judge(graph: Graph, nodes: Sequence[Node], kernels: Mapping[str, Kernel]) -> Choice:
    needed = live(share(graph, nodes, kernels).buffers.values())
    peak = max(range(len(needed)), key=lambda index: needed[index], default=0)
    return Choice(kernels, tuple(sorted(needed, reverse=True)), peak - 1)


def _around_peak(graph: Graph, nodes: Sequence[Node], choice: Choice) -> list[str]:
    """Nodes that run at the highest step, or make or read a tensor that lives then."""
    born = {name: step for step, node in enumerate(nodes) for name in node.outputs}
    last = {name: step for step, node in enumerate(nodes) for name in node.inputs}
    last |= dict.fromkeys(graph.outputs, len(nodes))
    living = {
        name
        for name in born.keys() | set(graph.inputs)
        if born.get(name, -1) <= choice.peak <= last.get(name, born.get(name, -1))
    }
    return [
        node.name
        for step, node in enumerate(nodes)
        if step == choice.peak or living.intersection((*node.inputs, *node.outputs))
    ]


def _fits(graph: Graph, nodes: Sequence[Node], kernels: Mapping[str, Kernel], budget: int) -> bool:
    buffers = list(share(graph, nodes, kernels).buffers.values())
    return lower_bound(buffers) <= budget and lay_out(buffers, nodes=0).size <= budget
