"""Compute in advance what depends on no input."""

from __future__ import annotations

from netsuke.ir import Graph, Node, Tensor, constant
from netsuke.ir.interpret import is_integer_node
from netsuke.passes.edit import Edit

GROWTH = 4096
"""Bytes by which a folded constant may exceed the constants that it is made of."""


def fold_constants(graph: Graph) -> Graph:
    """Replace nodes whose inputs are all constant by their values.

    Nodes that would make the constants larger by more than `GROWTH` bytes (expanding a scalar to
    an image) stay, since flash is what a microcontroller has least of.
    """
    edit = Edit(graph)
    for node in graph.nodes:
        inputs = edit.inputs(node)
        if not inputs or not all(tensor.is_constant for tensor in inputs):
            continue
        if any(edit.is_output(name) for name in node.outputs) or not _is_small(edit, node):
            continue
        arrays = [tensor.data for tensor in inputs if tensor.data is not None]
        outputs = edit.outputs(node)
        if is_integer_node(graph, node):
            results = node.op.quantized(inputs, outputs, *arrays)
        else:
            results = node.op.reference(*arrays)
        edit.remove(node)
        for output, result in zip(outputs, results, strict=True):
            value = result.astype(output.dtype).reshape(output.shape)
            edit.tensors[output.name] = constant(output.name, value, output.quant)
    return edit.finish()


def _is_small(edit: Edit, node: Node) -> bool:
    def total(tensors: tuple[Tensor, ...]) -> int:
        return sum(tensor.size for tensor in tensors)

    return total(edit.outputs(node)) <= total(edit.inputs(node)) + GROWTH
