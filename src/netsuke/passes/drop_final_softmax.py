"""Networks that answer with scores instead of probabilities, on request."""

from __future__ import annotations

from dataclasses import replace

from netsuke.errors import UsageError
from netsuke.ir import Graph, Node
from netsuke.ops.dequantize import Dequantize
from netsuke.ops.reshape import Reshape
from netsuke.ops.softmax import Softmax
from netsuke.passes.edit import Edit


def drop_final_softmax(graph: Graph) -> Graph:
    """Drop the softmax before each output that has one; the output is then what it was given.

    The largest score belongs to the largest probability, so who only asks for the class needs no
    softmax. Integers come out with the quantization of the scores. Only a reshape or a
    dequantization may stand between the softmax and the output. It changes what the network
    computes, so it is no part of the pipeline.

    Raises
    ------
    UsageError
        When no output is a softmax, or when what a softmax is given cannot become the output.
    """
    edit = Edit(graph)
    dropped = [name for name in graph.outputs if _drop(edit, name)]
    if not dropped:
        ends = ", ".join(f"{name!r} ({_kind(edit, name)})" for name in graph.outputs)
        raise UsageError(f"no output is a softmax that could be left out: there is {ends}")
    return edit.finish()


def _kind(edit: Edit, output: str) -> str:
    node = edit.producer(output)
    return "made by no node" if node is None else f"made by {node.op.kind}"


def _drop(edit: Edit, output: str) -> bool:
    """Drop the softmax before an output, if there is one."""
    between: list[Node] = []
    node = edit.producer(output)
    while node is not None and isinstance(node.op, Reshape | Dequantize):
        between.append(node)
        node = edit.sole_producer(node.inputs[0])
    if node is None or not isinstance(node.op, Softmax):
        return False
    quant = edit.tensors[node.inputs[0]].quant
    if not edit.bypass(node, node.inputs[0]):
        raise UsageError(
            f"the softmax of the output {output!r} reads {node.inputs[0]!r}, which is an input or "
            "an output of the network itself; it cannot be left out"
        )
    for follower in reversed(between):
        if isinstance(follower.op, Dequantize):
            break
        edit.tensors[follower.name] = replace(edit.tensors[follower.name], quant=quant)
    return True
