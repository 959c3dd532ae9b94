"""Functions of one int8, one after the other, as one table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netsuke.errors import NetsukeError
from netsuke.ir import Array, Graph, Node, Tensor
from netsuke.ops.binary import Binary
from netsuke.ops.table import Table
from netsuke.ops.unary import STORED, Unary
from netsuke.passes.edit import Edit


def merge_tables(graph: Graph) -> Graph:
    """Merge chains of elementwise int8 nodes with one input each into one table of 256 entries.

    A requantization, an activation and the next requantization are one look-up. So is an operation
    with a constant of one element, even alone. All bits stay: the table is what the nodes make of
    every int8.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None:
            _merge(edit, node)
    return edit.finish()


def _merge(edit: Edit, node: Node) -> None:
    """Replace a node, together with the one before it if that is a function of int8, too."""
    found = _function(edit, node)
    if found is None:
        return
    source, table = found
    before = edit.sole_producer(source)
    first = _function(edit, before) if before is not None else None
    if first is not None and before is not None:
        earlier, inner = first
        values = table[inner.astype(np.int64) + 128]
        edit.replace(node, _table(values), [earlier])
        edit.remove(before)
    elif isinstance(node.op, Binary):
        edit.replace(node, _table(table), [source])


def _table(values: Array) -> Table:
    return Table(tuple(int(value) for value in values))


def _function(edit: Edit, node: Node) -> tuple[str, Array] | None:
    """A node's only activation, and what it makes of each int8; None if it is no such function."""
    if len(node.outputs) != 1:
        return None
    inputs, (output,) = edit.inputs(node), edit.outputs(node)
    sources = [tensor for tensor in inputs if not tensor.is_constant]
    if len(sources) != 1 or not _is_stored(sources[0]) or not _is_stored(output):
        return None
    if sources[0].shape != output.shape:
        return None
    try:
        table = _lookup(node, inputs, sources[0], output)
    except NetsukeError:
        return None
    return None if table is None else (sources[0].name, table)


def _is_stored(tensor: Tensor) -> bool:
    return tensor.dtype == "int8" and tensor.quant is not None


def _lookup(node: Node, inputs: tuple[Tensor, ...], source: Tensor, output: Tensor) -> Array | None:
    if isinstance(node.op, Unary):
        return node.op.lookup(source, output)
    if not isinstance(node.op, Binary) or any(t.is_constant and t.elements != 1 for t in inputs):
        return None
    all_int8 = STORED.astype(np.int8)
    tensors, arrays = [], []
    for tensor in inputs:
        data = all_int8 if tensor.data is None else tensor.data.reshape(1)
        tensors.append(replace(tensor, shape=data.shape, data=None))
        arrays.append(data)
    (table,) = node.op.quantized(tensors, [replace(output, shape=(256,))], *arrays)
    return np.asarray(table)
