"""Drop nodes that change nothing."""

from __future__ import annotations

from netsuke.ir import Graph, Node, View
from netsuke.passes.edit import Edit


def drop_identity(graph: Graph) -> Graph:
    """Drop every node whose output is its input: same place, same type, same quantization.

    Operators say so themselves, by `Op.views`: a reshape to the same shape, a transposition of
    nothing, a clamp without bounds, a slice of everything, a concatenation of one.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None and _is_identity(edit, node):
            edit.bypass(node, node.inputs[0])
    return edit.finish()


def _is_identity(edit: Edit, node: Node) -> bool:
    if len(node.outputs) != 1 or not node.inputs:
        return False
    inputs, (output,) = edit.inputs(node), edit.outputs(node)
    source = inputs[0]
    if source.is_constant or source.type != output.type or source.quant != output.quant:
        return False
    views = node.op.views(inputs, (output,))
    return views in ((View(("out", 0), ("in", 0), 0),), (View(("in", 0), ("out", 0), 0),))
