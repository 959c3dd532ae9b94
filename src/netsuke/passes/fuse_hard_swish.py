"""Hard sigmoids and hard swishes that are spelled out."""

from __future__ import annotations

import math

from netsuke.ir import Graph, Node
from netsuke.ops.add import Add
from netsuke.ops.clamp import Clamp
from netsuke.ops.div import Div
from netsuke.ops.hard_sigmoid import HardSigmoid
from netsuke.ops.hard_swish import HardSwish
from netsuke.ops.mul import Mul
from netsuke.passes.edit import Edit
from netsuke.passes.linear import bounds, is_unbounded


def fuse_hard_swish(graph: Graph) -> Graph:
    """Recognize hard swish, x · clamp(x + 3, 0, 6) / 6, and hard sigmoid, however written.

    The sixth may divide the clamp or the product, or be a factor; the product may be with a hard
    sigmoid. Only float nodes: integers round in between.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None and isinstance(node.op, Mul | Div) and is_unbounded(node.op):
            _fuse(edit, node)
    return edit.finish()


def _fuse(edit: Edit, node: Node) -> None:
    tensors = (*edit.inputs(node), *edit.outputs(node))
    if any(tensor.dtype != "float32" for tensor in tensors):
        return
    scaled = _scaled(edit, node)
    if scaled is not None and math.isclose(scaled[1], 1 / 6, rel_tol=1e-5):
        inner = scaled[0]
        source = _shifted_clamp(edit, inner)
        if source is not None:
            edit.replace(node, HardSigmoid(), [source])
            return
        product = edit.sole_producer(inner)
        if product is not None and isinstance(product.op, Mul) and is_unbounded(product.op):
            for x, gate in (product.inputs, product.inputs[::-1]):
                if _shifted_clamp(edit, gate) == x:
                    edit.replace(node, HardSwish(), [x])
                    return
        return
    if isinstance(node.op, Mul):
        for x, gate in (node.inputs, node.inputs[::-1]):
            if _is_hard_sigmoid(edit.sole_producer(gate), x):
                edit.replace(node, HardSwish(), [x])
                return


def _is_hard_sigmoid(maker: Node | None, x: str) -> bool:
    """Whether a node is a hard sigmoid of x whose slope is a sixth, as float32 files write it."""
    if maker is None or not isinstance(maker.op, HardSigmoid) or maker.inputs != (x,):
        return False
    return math.isclose(maker.op.alpha, 1 / 6, rel_tol=1e-5) and maker.op.beta == 0.5


def _number(edit: Edit, name: str) -> float | None:
    """The value of a constant that holds one number."""
    tensor = edit.tensors[name]
    if tensor.data is None or tensor.elements != 1 or len(tensor.shape) > 1:
        return None
    return float(tensor.data.reshape(()))


def _scaled(edit: Edit, node: Node) -> tuple[str, float] | None:
    """(x, factor) of a node that is x times or divided by one number."""
    a, b = node.inputs
    right, left = _number(edit, b), _number(edit, a)
    if right is not None and right != 0.0:
        return a, (1.0 / right if isinstance(node.op, Div) else right)
    if left is not None and isinstance(node.op, Mul):
        return b, left
    return None


def _shifted_clamp(edit: Edit, name: str) -> str | None:
    """x when a tensor is clamp(x + 3, 0, 6) and nobody else needs what lies between."""
    node = edit.sole_producer(name)
    if node is None:
        return None
    if isinstance(node.op, Clamp) and bounds(node.op) == (0.0, 6.0):
        node = edit.sole_producer(node.inputs[0])
        if node is None or not is_unbounded(node.op):
            return None
    elif bounds(node.op) != (0.0, 6.0):
        return None
    if not isinstance(node.op, Add):
        return None
    for x, number in (node.inputs, node.inputs[::-1]):
        if _number(edit, number) == 3.0 and not edit.tensors[x].is_constant:
            return x
    return None
