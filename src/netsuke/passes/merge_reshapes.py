"""One reshape instead of several."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.ops.reshape import Reshape
from netsuke.passes.edit import Edit


def merge_reshapes(graph: Graph) -> Graph:
    """Let a reshape of a reshape read what the first one reads."""
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is None or not isinstance(node.op, Reshape):
            continue
        before = edit.producer(node.inputs[0])
        if before is not None and isinstance(before.op, Reshape):
            edit.replace(node, inputs=before.inputs)
    return edit.finish()
