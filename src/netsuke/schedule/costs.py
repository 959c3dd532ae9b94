"""What kernels cost: instructions as the operators model them, or as somebody measured them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from netsuke.ir import Graph, Kernel, Node

Costs = Callable[[Graph, Node, Sequence[Kernel]], Sequence[float | None]]
"""(graph, node, its kernels) -> executed instructions of each; None where nobody measured."""


def with_costs(
    graph: Graph, node: Node, kernels: Sequence[Kernel], costs: Costs | None
) -> tuple[Kernel, ...]:
    """The kernels with the instructions that `costs` knows in place of the modelled ones.

    A kernel that was not measured keeps its model times the mean of measured over modelled of
    this node's other kernels, or it would win or lose by a model's bias alone.
    """
    if costs is None:
        return tuple(kernels)
    found = list(costs(graph, node, kernels))
    known = [(k.instructions, c) for k, c in zip(kernels, found, strict=True) if c is not None]
    modelled = sum(model for model, _ in known)
    scale = sum(cost for _, cost in known) / modelled if modelled else 1.0
    return tuple(
        replace(kernel, instructions=scale * kernel.instructions if cost is None else cost)
        for kernel, cost in zip(kernels, found, strict=True)
    )
