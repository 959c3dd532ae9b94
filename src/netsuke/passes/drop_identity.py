"""Drop nodes that change nothing."""

from __future__ import annotations

from netsuke.ir import Graph, Node, Tensor, View
from netsuke.ops.dequantize import Dequantize
from netsuke.ops.quantize import Quantize
from netsuke.passes.edit import Edit


def drop_identity(graph: Graph) -> Graph:
    """Drop every node whose output is its input: same place, same type, same quantization.

    Operators say so themselves, by `Op.views`: a reshape to the same shape, a transposition of
    nothing, a clamp without bounds, a slice of everything, a concatenation of one. Quantizing
    what was dequantized from the same quantization goes, too.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        source = None if node is None else _source(edit, node)
        if node is not None and source is not None:
            edit.bypass(node, source)
    return edit.finish()


def _source(edit: Edit, node: Node) -> str | None:
    """The tensor that equals a node's output, if there is one."""
    if len(node.outputs) != 1 or not node.inputs:
        return None
    inputs, (output,) = edit.inputs(node), edit.outputs(node)
    source = inputs[0]
    before = edit.producer(source.name)
    if isinstance(node.op, Quantize) and before is not None and isinstance(before.op, Dequantize):
        source = edit.inputs(before)[0]
        return source.name if _alike(source, output) else None
    views = node.op.views(inputs, (output,))
    in_place = views in ((View(("out", 0), ("in", 0), 0),), (View(("in", 0), ("out", 0), 0),))
    return source.name if in_place and _alike(source, output) else None


def _alike(source: Tensor, output: Tensor) -> bool:
    return not source.is_constant and source.type == output.type and source.quant == output.quant
