"""The immutable graph and its checks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir.op import Op
from netsuke.ir.tensor import ITEMSIZE, Tensor


@dataclass(frozen=True, slots=True)
class Node:
    """One use of an operator; it is known by the name of its first output."""

    op: Op
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.outputs[0]


@dataclass(frozen=True, slots=True)
class Port:
    """How the model file shows an input or output that the graph keeps in another form.

    Attributes
    ----------
    axes
        ``stored = shown.transpose(axes)`` for one sample; NCHW files have ``(1, 2, 0)``.
    dtype
        Element type in the file. ``uint8`` beside a stored ``int8`` means stored = shown - 128;
        ``float32`` beside a stored integer means that the tensor's `Quant` stands between.
    """

    axes: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A network: nodes in topological order over named tensors.

    Attributes
    ----------
    inputs, outputs
        Names of tensors, in the order of the model file.
    nodes
        In an order in which they can run.
    tensors
        Every tensor that a node, input or output names.
    name
        The model's name.
    ports
        Inputs and outputs that the model file shows in another form.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    name: str = "model"
    ports: Mapping[str, Port] = field(default_factory=dict)

    def in_of(self, node: Node) -> tuple[Tensor, ...]:
        return tuple(self.tensors[name] for name in node.inputs)

    def out_of(self, node: Node) -> tuple[Tensor, ...]:
        return tuple(self.tensors[name] for name in node.outputs)

    def producers(self) -> dict[str, Node]:
        """The node that makes each tensor; inputs and constants have none."""
        return {name: node for node in self.nodes for name in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """The nodes that read each tensor, in order; unread tensors have an empty list."""
        readers: dict[str, list[Node]] = {name: [] for name in self.tensors}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                readers[name].append(node)
        return readers

    def constants(self) -> Iterator[Tensor]:
        return (tensor for tensor in self.tensors.values() if tensor.is_constant)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample."""
        return sum(node.op.cost(self.in_of(node), self.out_of(node)).macs for node in self.nodes)

    @property
    def parameters(self) -> int:
        """Elements of all constants that hold numbers to learn (not shapes or indices)."""
        return sum(
            tensor.elements
            for tensor in self.constants()
            if tensor.quant is not None or tensor.dtype == "float32"
        )

    def fingerprint(self) -> str:
        """SHA-256 of everything the graph means: text form, constants, quantization."""
        from netsuke.ir.text import to_text  # the text form needs Graph

        digest = hashlib.sha256(to_text(self).encode())
        for name in sorted(self.tensors):
            tensor = self.tensors[name]
            digest.update(repr((name, tensor.quant)).encode())
            if tensor.data is not None:
                digest.update(np.ascontiguousarray(tensor.data).tobytes())
        return digest.hexdigest()


def verify(graph: Graph) -> Graph:
    """Check every rule of the representation and return the graph.

    Raises
    ------
    GraphError
        Naming the node or tensor: an unknown or twice-made tensor, a node before its inputs, a
        shape or element type other than the operator infers, a constant that is not finite, a
        quantization that does not belong to its tensor.
    """
    for name, tensor in graph.tensors.items():
        if name != tensor.name:
            raise GraphError(name, f"the tensor kept under this name is called {tensor.name!r}")
        _verify_tensor(tensor)
    ready = set(graph.inputs) | {tensor.name for tensor in graph.constants()}
    for name in (*graph.inputs, *graph.outputs):
        if name not in graph.tensors:
            raise GraphError(name, "is an input or output of the graph, but no such tensor exists")
    for node in graph.nodes:
        for name in node.inputs:
            if name not in graph.tensors:
                raise GraphError(node.name, f"reads {name!r}, which does not exist")
            if name not in ready:
                raise GraphError(node.name, f"reads {name!r} before it is computed")
        inferred = node.op.infer(graph.in_of(node))
        if len(inferred) != len(node.outputs):
            raise GraphError(
                node.name, f"has {len(node.outputs)} outputs, {node.op.kind} makes {len(inferred)}"
            )
        for name, expected in zip(node.outputs, inferred, strict=True):
            if name in ready:
                raise GraphError(name, f"is made twice, the second time by {node.name!r}")
            actual = graph.tensors.get(name)
            if actual is None:
                raise GraphError(node.name, f"makes {name!r}, which does not exist")
            if actual.type != expected:
                raise GraphError(
                    name,
                    f"is declared {actual.dtype}{list(actual.shape)}, but {node.op.kind} "
                    f"makes {expected.dtype}{list(expected.shape)}",
                )
            ready.add(name)
    for name in graph.outputs:
        if name not in ready:
            raise GraphError(name, "is an output of the graph, but nothing computes it")
    return graph


def _verify_tensor(tensor: Tensor) -> None:
    if tensor.dtype not in ITEMSIZE:
        raise GraphError(tensor.name, f"has the unknown element type {tensor.dtype!r}")
    if any(extent < 0 for extent in tensor.shape):
        raise GraphError(tensor.name, f"has a negative extent in its shape {list(tensor.shape)}")
    if tensor.data is not None:
        if tensor.data.shape != tensor.shape or str(tensor.data.dtype) != tensor.dtype:
            raise GraphError(
                tensor.name,
                f"is declared {tensor.dtype}{list(tensor.shape)}, but its data is "
                f"{tensor.data.dtype}{list(tensor.data.shape)}",
            )
        if tensor.dtype == "float32" and not np.isfinite(tensor.data).all():
            count = int((~np.isfinite(tensor.data)).sum())
            raise GraphError(tensor.name, f"holds {count} value(s) that are NaN or infinite")
    if tensor.quant is not None:
        _verify_quant(tensor, tensor.quant.scale, tensor.quant.zero_point, tensor.quant.axis)


def _verify_quant(
    tensor: Tensor, scale: Sequence[float], zero: Sequence[int], axis: int | None
) -> None:
    if tensor.dtype == "float32":
        raise GraphError(tensor.name, "is float32, but carries a quantization")
    if not all(0.0 < step < float("inf") for step in scale):
        raise GraphError(tensor.name, "has a scale that is not a positive finite number")
    if len(zero) != len(scale):
        raise GraphError(tensor.name, f"has {len(scale)} scales, but {len(zero)} zero points")
    if axis is None and len(scale) != 1:
        raise GraphError(tensor.name, f"has {len(scale)} scales, but no axis")
    if axis is not None and not (
        0 <= axis < len(tensor.shape) and len(scale) in (1, tensor.shape[axis])
    ):
        raise GraphError(
            tensor.name, f"has {len(scale)} scales along axis {axis} of {list(tensor.shape)}"
        )
