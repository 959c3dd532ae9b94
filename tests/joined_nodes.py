"""Many random nodes as one graph, so that a compiler and an emulator start once for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from random_nodes import Node

from netsuke.ir import Array, Graph, GraphBuilder
from netsuke.verify.unicorn import UnicornModel


def joined(nodes: Sequence[Node]) -> tuple[Graph, list[Array]]:
    """A graph in which every node stands alone, and one sample of its inputs in graph order."""
    builder, outputs, feeds = GraphBuilder("joined"), [], []
    for number, node in enumerate(nodes):
        names = []
        for index, (tensor, array) in enumerate(zip(node.inputs, node.arrays, strict=True)):
            name = f"n{number}_{index}"
            if tensor.data is not None:
                names.append(builder.constant(name, tensor.data, tensor.quant))
            else:
                names.append(builder.input(name, tensor.shape, tensor.dtype, tensor.quant))
                feeds.append(array)
        outputs += builder.add(node.op, names, quants=[t.quant for t in node.outputs])
    return builder.build(outputs), feeds


def differing(model: UnicornModel, nodes: Sequence[Node], feeds: Sequence[Array]) -> list[str]:
    """The nodes whose outputs on an emulator are not what they mean."""
    outputs = model.run(*(feed[None] for feed in feeds))
    meanings = [array for node in nodes for array in node.meaning]
    assert len(outputs) == len(meanings)
    return [
        str(node)
        for node, found, wanted in zip(nodes, outputs, meanings, strict=True)
        if not np.array_equal(found[0], wanted)
    ]
