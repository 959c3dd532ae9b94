"""The ONNX file under construction, and what an operator's export sees of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Graph, Node, Quant, Tensor


def identity(tensor: Tensor) -> Axes:
    """Our own order of a tensor's axes."""
    return tuple(range(len(tensor.shape)))


class Writer:
    """Nodes and initializers so far, and in which orders each tensor is in the file.

    Integer tensors are in the file as real numbers behind QuantizeLinear and DequantizeLinear;
    `stored` remembers the integers between the two.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names = set(graph.tensors)
        self.forms: dict[str, dict[Axes, str]] = {}
        self.stored: dict[str, tuple[str, Axes]] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def fresh(self, wish: str) -> str:
        """A name that nothing in the file has yet."""
        name, number = wish, 1
        while name in self.names:
            name, number = f"{wish}.{number}", number + 1
        self.names.add(name)
        return name

    def emit(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        """Append a node."""
        from onnx import helper

        self.nodes.append(
            helper.make_node(kind, list(inputs), list(outputs), outputs[0], **attributes)
        )

    def initializer(self, array: Array, wish: str, unique: bool = False) -> str:
        """Add a constant; equal ones are shared unless they carry a name of their own."""
        from onnx import numpy_helper

        array = np.ascontiguousarray(array).reshape(np.shape(array))
        key = (str(array.dtype), array.shape, array.tobytes())
        if unique or key not in self._constants:
            name = wish if unique else self.fresh(wish)
            self.initializers.append(numpy_helper.from_array(array, name))
            if unique:
                return name
            self._constants[key] = name
        return self._constants[key]

    def quantized_constant(self, array: Array, quant: Quant, axis: int, wish: str) -> str:
        """Integers and a node that makes real numbers of them."""
        name = self.fresh(f"{wish}.stored")
        self.initializer(array, name, unique=True)
        real = self.fresh(f"{wish}.real")
        self.dequantize(name, quant, str(array.dtype), real, axis)
        return real

    def _scale(self, quant: Quant, dtype: str) -> list[str]:
        per_axis = len(quant.scale) > 1
        scale = np.array(quant.scale if per_axis else quant.scale[0], np.float32)
        zero = np.array(quant.zero_point if per_axis else quant.zero_point[0])
        if dtype == "uint8":
            zero = zero + 128
        return [
            self.initializer(scale, "scale"),
            self.initializer(zero.astype(dtype), "zero_point"),
        ]

    def dequantize(self, name: str, quant: Quant, dtype: str, output: str, axis: int = 0) -> None:
        """Real numbers of integers."""
        attributes = {"axis": axis} if len(quant.scale) > 1 else {}
        self.emit("DequantizeLinear", [name, *self._scale(quant, dtype)], [output], **attributes)

    def quantize(self, name: str, quant: Quant, dtype: str, output: str) -> None:
        """Integers of real numbers."""
        self.emit("QuantizeLinear", [name, *self._scale(quant, dtype)], [output])

    def turn(self, name: str, rank: int, source: Axes, target: Axes, wish: str) -> str:
        """A value in another order of its axes."""
        if source == target:
            return name
        perm = [0, *(1 + source.index(axis) for axis in target)]
        output = self.fresh(wish)
        self.emit("Transpose", [name], [output], perm=perm)
        return output

    def form(self, tensor: Tensor, order: Axes) -> str:
        """Name of a computed tensor as real numbers in an order."""
        forms = self.forms[tensor.name]
        if order not in forms:
            source, name = next(iter(forms.items()))
            wish = f"{tensor.name}.{'x'.join(map(str, order))}"
            forms[order] = self.turn(name, len(order), source, order, wish)
        return forms[order]

    def rename(self, old: str, new: str, first: int) -> None:
        """Give a value another name, in the nodes from `first` on."""
        for node in self.nodes[first:]:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    if name == old:
                        names[index] = new
            if node.name == old:
                node.name = new


class Site:
    """One of our nodes while it is written; see `netsuke.ops.onnx_node.OnnxNode`."""

    def __init__(self, writer: Writer, node: Node) -> None:
        self.writer = writer
        self.node = node
        self.inputs = writer.graph.in_of(node)
        self.outputs = writer.graph.out_of(node)
        self.first = len(writer.nodes)

    def order(self, index: int = 0) -> Axes:
        tensor = self.inputs[index]
        if tensor.is_constant:
            return identity(tensor)
        return next(iter(self.writer.forms[tensor.name]))

    def read(self, index: int, order: Axes | None = None) -> str:
        tensor = self.inputs[index]
        order = self.order(index) if order is None else order
        if tensor.data is None:
            return self.writer.form(tensor, order)
        return self.weights(index, lambda array: array.transpose(order), 0)

    def operands(self) -> tuple[list[str], Axes]:
        rank = len(self.outputs[0].shape)
        full = [
            index
            for index, tensor in enumerate(self.inputs)
            if not tensor.is_constant and len(tensor.shape) == rank
        ]
        order = self.order(full[0]) if full else tuple(range(rank))
        return [self.aligned(index, rank, order) for index in range(len(self.inputs))], order

    def aligned(self, index: int, rank: int, order: Axes) -> str:
        tensor = self.inputs[index]
        missing = rank - len(tensor.shape)
        if tensor.data is not None:
            if tensor.elements == 1 or order == tuple(range(rank)):
                return self.weights(index, lambda array: array, 0)
            return self.weights(
                index,
                lambda array: array.reshape((1,) * missing + array.shape).transpose(order),
                0,
            )
        if not missing:
            return self.read(index, order)
        name = self.read(index, identity(tensor))
        axes = self.constant(list(range(1, 1 + missing)))
        name = self.emit("Unsqueeze", [name, axes])
        wish = f"{self.node.name}.operand"
        return self.writer.turn(name, rank, tuple(range(rank)), order, wish)

    def batched(self, index: int, order: Axes) -> str:
        tensor = self.inputs[index]
        if tensor.data is None:
            return self.read(index, order)
        sample = self.weights(index, lambda array: array.transpose(order)[None], 0)
        other = next(i for i, t in enumerate(self.inputs) if not t.is_constant)
        extents = self.emit("Shape", [self.read(other)], end=1)
        ones = self.constant([1] * len(order))
        shape = self.emit("Concat", [extents, ones], axis=0)
        return self.emit("Expand", [sample, shape])

    def weights(self, index: int, arrange: Callable[[Array], Array], axis: int) -> str:
        tensor = self.inputs[index]
        if tensor.data is None:
            raise GraphError(tensor.name, "must be constant to be written as ONNX")
        array = np.ascontiguousarray(arrange(tensor.data))
        array = array.reshape(np.shape(arrange(tensor.data)))
        if tensor.quant is not None:
            return self.writer.quantized_constant(array, tensor.quant, axis, tensor.name)
        return self.writer.initializer(array, self.writer.fresh(f"{tensor.name}.data"), unique=True)

    def bias(self, index: int) -> str:
        tensor, x, weights = self.inputs[index], self.inputs[0], self.inputs[1]
        if tensor.data is None or tensor.dtype != "int32":
            return self.weights(index, lambda array: array, 0)
        assert x.quant is not None
        assert weights.quant is not None
        steps = tuple(x.quant.scale[0] * scale for scale in weights.quant.scale)
        quant = Quant(steps, (0,) * len(steps), 0 if len(steps) > 1 else None, 32)
        return self.writer.quantized_constant(tensor.data, quant, 0, tensor.name)

    def constant(self, data: Any) -> str:
        array = np.asarray(data)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        elif array.dtype.kind in "iu":
            array = array.astype(np.int64)
        return self.writer.initializer(array, "constant")

    def emit(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        return self.emit_many(kind, inputs, 1, **attributes)[0]

    def emit_many(
        self, kind: str, inputs: Sequence[str], count: int, **attributes: Any
    ) -> list[str]:
        names = [self.writer.fresh(f"{self.node.name}.{kind}") for _ in range(count)]
        self.writer.emit(kind, inputs, names, **attributes)
        return names

    def write(self, name: str, order: Axes | None = None, index: int = 0) -> None:
        tensor = self.outputs[index]
        order = identity(tensor) if order is None else order
        if tensor.quant is not None:
            stored = self.writer.fresh(f"{tensor.name}.stored")
            self.writer.quantize(name, tensor.quant, tensor.dtype, stored)
            self.writer.dequantize(stored, tensor.quant, tensor.dtype, tensor.name)
            self.writer.stored[tensor.name] = (stored, order)
        else:
            self.writer.rename(name, tensor.name, self.first)
        self.writer.forms[tensor.name] = {order: tensor.name}

    def alias(self, name: str, order: Axes) -> None:
        tensor = self.outputs[0]
        self.writer.forms[tensor.name] = {order: name}
        if self.inputs[0].name in self.writer.stored and tensor.quant == self.inputs[0].quant:
            stored, source = self.writer.stored[self.inputs[0].name]
            place = next(o for o, n in self.writer.forms[self.inputs[0].name].items() if n == name)
            if place == source:
                self.writer.stored[tensor.name] = (stored, order)
