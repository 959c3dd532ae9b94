"""Borders added by the layer that reads them."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.ops.pad import Pad
from netsuke.passes.edit import Edit


def fold_padding(graph: Graph) -> Graph:
    """Fold constant borders into readers that can add them: zeros into convolutions.

    A border of real zero holds the zero point in integers, which is what a quantized convolution
    adds, too. All readers must be able to.
    """
    edit = Edit(graph)
    for node in graph.nodes:
        if not isinstance(node.op, Pad) or node.op.mode != "constant":
            continue
        if not edit.is_alive(node) or edit.is_output(node.name):
            continue
        x, y = edit.inputs(node)[0], edit.outputs(node)[0]
        if x.quant != y.quant:
            continue
        readers = edit.readers(node.name)
        ops = [reader.op.padded(node.op.padding, node.op.value) for reader in readers]
        alone = all(node.name not in reader.inputs[1:] for reader in readers)
        if not readers or not alone or any(op is None for op in ops):
            continue
        for reader, op in zip(readers, ops, strict=True):
            edit.replace(reader, op, [x.name, *reader.inputs[1:]])
    return edit.finish()
