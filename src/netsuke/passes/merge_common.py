"""Compute the same thing once."""

from __future__ import annotations

from netsuke.ir import Graph, Node, Tensor
from netsuke.passes.edit import Edit


def merge_common(graph: Graph) -> Graph:
    """Merge nodes that do the same to the same inputs, and constants that hold the same values."""
    edit = Edit(graph)
    _merge_constants(edit)
    seen: dict[object, Node] = {}
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is None:
            continue
        quants = tuple(tensor.quant for tensor in edit.outputs(node))
        key = (node.op, node.inputs, quants)
        first = seen.setdefault(key, node)
        if first is node:
            continue
        if len(node.outputs) == 1 and edit.bypass(node, first.outputs[0]):
            current = edit.producer(node.outputs[0]) or edit.producer(first.outputs[0])
            if current is not None:
                seen[key] = current
    return edit.finish()


def _merge_constants(edit: Edit) -> None:
    seen: dict[object, str] = {}
    renamed: dict[str, str] = {}
    for tensor in list(edit.tensors.values()):
        if tensor.is_constant and not edit.is_output(tensor.name):
            first = seen.setdefault(_content(tensor), tensor.name)
            if first != tensor.name:
                renamed[tensor.name] = first
    if not renamed:
        return
    for node in edit.graph.nodes:
        inputs = [renamed.get(name, name) for name in node.inputs]
        if tuple(inputs) != node.inputs:
            edit.replace(node, inputs=inputs)


def _content(tensor: Tensor) -> object:
    assert tensor.data is not None
    return (tensor.shape, tensor.dtype, tensor.quant, tensor.data.tobytes())
