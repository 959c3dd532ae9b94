"""Same meaning, better graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from netsuke.ir import Graph, verify
from netsuke.passes.drop_constant_channels import drop_constant_channels
from netsuke.passes.drop_dead_nodes import drop_dead_nodes
from netsuke.passes.drop_identity import drop_identity
from netsuke.passes.fold_batch_norm import fold_batch_norm
from netsuke.passes.fold_constants import fold_constants
from netsuke.passes.fold_padding import fold_padding
from netsuke.passes.fold_scale import fold_scale
from netsuke.passes.fuse_activation import fuse_activation
from netsuke.passes.fuse_channel_shuffle import fuse_channel_shuffle
from netsuke.passes.fuse_hard_swish import fuse_hard_swish
from netsuke.passes.merge_common import merge_common
from netsuke.passes.merge_reshapes import merge_reshapes
from netsuke.passes.merge_tables import merge_tables
from netsuke.passes.move_layouts import move_layouts
from netsuke.passes.sink_reshapes import sink_reshapes
from netsuke.passes.widen_depthwise import widen_depthwise

Pass: TypeAlias = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    drop_dead_nodes,
    fold_constants,
    merge_reshapes,
    drop_identity,
    fuse_channel_shuffle,
    move_layouts,
    sink_reshapes,
    merge_reshapes,
    drop_identity,
    fold_batch_norm,
    fuse_hard_swish,
    fold_scale,
    fold_padding,
    fuse_activation,
    merge_tables,
    widen_depthwise,
    drop_constant_channels,
    merge_common,
    drop_dead_nodes,
)
"""Every pass, in the order in which they run."""

ROUNDS = 8
"""Most times that the pipeline runs; few models need more than two."""


def optimize(graph: Graph, observe: Callable[[str, Graph], None] | None = None) -> Graph:
    """Run the pipeline until nothing changes any more; the graph is verified after each pass.

    Parameters
    ----------
    graph
        Any valid graph.
    observe
        Called with the name of each pass that changed the graph, and its result.

    Returns
    -------
    Graph
        A graph with the same inputs, outputs and meaning. `Graph.ports` may say that an input
        or output is now stored in another order of axes.
    """
    return _run(PIPELINE, graph, observe)


def arrange(graph: Graph) -> Graph:
    """Run the passes before `fold_batch_norm`: channels come last, normalizations stay.

    This is the form in which channels can be cut and networks trained; `optimize` of the result
    is that of the graph.
    """
    return _run(PIPELINE[: PIPELINE.index(fold_batch_norm)], graph, None)


def _run(
    pipeline: tuple[Pass, ...], graph: Graph, observe: Callable[[str, Graph], None] | None
) -> Graph:
    """Run passes in order, again and again, until nothing changes any more."""
    for _ in range(ROUNDS):
        before = graph
        for step in pipeline:
            after = step(graph)
            if after is not graph:
                graph = verify(after)
                if observe:
                    observe(step.__name__, graph)
        if graph is before:
            break
    return graph


__all__ = ["PIPELINE", "Pass", "arrange", "optimize"]
