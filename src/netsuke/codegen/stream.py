"""Models that take their input element by element, so that no memory ever holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from netsuke.errors import GraphError, UsageError
from netsuke.ir import Array, Graph, Kernel, Node, Op, Tensor, TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Streamed(Op):
    """A node whose input 0 is pushed element by element; its inputs are the others.

    Attributes
    ----------
    op
        The operator of the node; its `Op.stream` names the functions.
    x
        The tensor that is pushed.
    chunk
        Elements that are pushed at once.
    """

    op: Op
    x: Tensor
    chunk: int = 1

    @property
    def kind(self) -> str:
        return self.op.kind

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        return self.op.infer([self.x, *inputs])

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        raise GraphError(self.x.name, "is pushed: only C computes this node")

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        every = [self.x, *inputs]
        if self.chunk > 1:
            kernel = self.op.chunked(every, outputs, isa, self.chunk)
        else:
            kernel = self.op.stream(every, outputs, isa)
        if kernel is None:
            raise GraphError(self.x.name, f"{self.op.kind} cannot take it {_portion(self.chunk)}")
        shifted = {index - 1: table for index, table in kernel.constants.items()}
        return (replace(kernel, constants=shifted),)


def _portion(chunk: int) -> str:
    return f"{chunk} elements at a time; try fewer, or 1" if chunk > 1 else "element by element"


def streamed(graph: Graph, chunk: int = 1) -> Graph:
    """The graph without its input, whose only reader takes `chunk` elements of it at a time.

    Raises
    ------
    UsageError
        When the graph has not one input that is a vector and that one node reads once, beside
        constants.
    """
    if chunk < 1:
        raise UsageError(f"{chunk} elements cannot be pushed at once; at least 1")
    readers = [node for node in graph.nodes if set(node.inputs) & set(graph.inputs)]
    x = graph.tensors[graph.inputs[0]] if len(graph.inputs) == 1 else None
    if x is None or len(x.shape) != 1 or x.name in graph.outputs:
        raise UsageError(
            f"{graph.name} cannot take its input element by element: it needs one input that is a "
            "vector"
        )
    others = [name for node in readers for name in node.inputs[1:]]
    if len(readers) != 1 or not all(graph.tensors[name].is_constant for name in others):
        raise UsageError(
            f"{graph.name} cannot take {x.name!r} element by element: one node must read it once, "
            f"and only beside constants; {len(readers)} read it"
        )
    first = readers[0]
    node = Node(Streamed(first.op, x, chunk), first.inputs[1:], first.outputs)
    nodes = tuple(node if other is first else other for other in graph.nodes)
    tensors = {name: tensor for name, tensor in graph.tensors.items() if name != x.name}
    return replace(graph, inputs=(), nodes=nodes, tensors=tensors, ports={})
