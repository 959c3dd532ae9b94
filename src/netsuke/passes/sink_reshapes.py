"""Reshapes behind the operators that do not mind them."""

from __future__ import annotations

from dataclasses import replace

from netsuke.ir import Graph, Node
from netsuke.ops.reshape import Reshape
from netsuke.passes.edit import Edit


def sink_reshapes(graph: Graph) -> Graph:
    """Move reshapes behind operators that compute the same in the shape before (`Op.reshaped`).

    One-dimensional convolutions come as ``reshape → conv2d → reshape``. When the reshapes sink
    through what lies between two of them they meet and cancel, and what follows a convolution
    directly can be fused into it.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None:
            _sink(edit, node)
    return edit.finish()


def _sink(edit: Edit, node: Node) -> None:
    """Let a node read what the reshapes before it read, and reshape its output instead."""
    if len(node.outputs) != 1 or isinstance(node.op, Reshape):
        return
    tensors = edit.inputs(node)
    sources: list[str] = []
    moved = 0
    for tensor in tensors:
        if tensor.is_constant:
            sources.append(tensor.name)
            continue
        before = edit.sole_producer(tensor.name)
        if before is None or not isinstance(before.op, Reshape):
            return
        sources.append(before.inputs[0])
        moved += 1
    if not moved:
        return
    shapes = [edit.tensors[source].shape for source in sources]
    answer = node.op.reshaped(tensors, shapes)
    if answer is None:
        return
    for number, constant in answer.constants.items():
        sources[number] = edit.store(constant)
    (output,) = edit.outputs(node)
    inner = edit.add(answer.op, sources, node, f"{output.name}_flat", output.quant)
    kind = edit.tensors[inner]
    edit.tensors[inner] = replace(kind, dtype=output.dtype)
    edit.replace(node, Reshape(output.shape), [inner])
