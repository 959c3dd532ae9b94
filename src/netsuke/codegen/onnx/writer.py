"""The ONNX file under construction: values, layouts, quantization; it knows no operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.codegen.onnx.registry import FORMS, load_forms
from netsuke.errors import GraphError, MissingToolError
from netsuke.ir import Array, Graph, Node, Op, Quant, Tensor

OPSET = 20
LAST, FIRST = "last", "first"
TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def to_onnx(graph: Graph) -> bytes:
    """Return a graph as an ONNX file with a symbolic batch axis.

    Images that the model's own file showed channels first (`Graph.ports`) are shown so again;
    everything between stays channels first where it can, so that few transpositions are written.
    Quantized activations become pairs of QuantizeLinear and DequantizeLinear, weights int8 with
    DequantizeLinear, biases int32.

    Raises
    ------
    GraphError
        When an operator has no ONNX form.
    """
    return Writer(graph).write()


class Writer:
    """One file. Activations are known by tensor name and layout, as real numbers."""

    def __init__(self, graph: Graph) -> None:
        try:
            import onnx
        except ImportError:
            raise MissingToolError("onnx", "to write ONNX files", "pip install onnx") from None
        load_forms()
        self.onnx = onnx
        self.graph = graph
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.values: dict[tuple[str, str], str] = {}
        self.stored: dict[str, tuple[str, str]] = {}  # quantized tensor -> (integer value, layout)
        self.taken: set[str] = set(graph.outputs) | set(graph.inputs)

    def write(self) -> bytes:
        inputs = [self._input(name) for name in self.graph.inputs]
        for node in self.graph.nodes:
            form = FORMS.get(type(node.op))
            if form is None:
                raise GraphError(node.name, f"{node.op.kind} has no ONNX form")
            form(NodeWriter(self, node))
        outputs = [self._output(name) for name in self.graph.outputs]
        helper = self.onnx.helper
        made = helper.make_graph(self.nodes, self.graph.name, inputs, outputs, self.initializers)
        model = helper.make_model(
            made,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="netsuke",
            ir_version=9,
        )
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def fresh(self, wish: str) -> str:
        name, number = wish, 1
        while name in self.taken:
            name, number = f"{wish}_{number}", number + 1
        self.taken.add(name)
        return name

    def constant(self, array: Array, wish: str = "constant") -> str:
        """An initializer with this content."""
        name = self.fresh(wish)
        self.initializers.append(
            self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
        )
        return name

    def node(self, kind: str, inputs: Sequence[str], wish: str = "", **attributes: Any) -> str:
        """A node with one output; returns the output."""
        return self.many(kind, inputs, 1, wish, **attributes)[0]

    def many(
        self, kind: str, inputs: Sequence[str], count: int, wish: str = "", **attributes: Any
    ) -> list[str]:
        outputs = [self.fresh(wish or kind.lower()) for _ in range(count)]
        self.nodes.append(
            self.onnx.helper.make_node(kind, list(inputs), outputs, name=outputs[0], **attributes)
        )
        return outputs

    def quant_constants(self, quant: Quant, dtype: str, wish: str) -> list[str]:
        shape: tuple[int, ...] = () if quant.axis is None else (-1,)
        scale = np.asarray(quant.scale, np.float32).reshape(shape)
        zero = np.asarray(quant.zero_point, dtype).reshape(shape)
        return [self.constant(scale, f"{wish}_scale"), self.constant(zero, f"{wish}_zero_point")]

    def define(self, tensor: Tensor, value: str, layout: str) -> None:
        """Let a real value be an activation; quantized ones pass through integers."""
        if tensor.quant is not None:
            pair = self.quant_constants(tensor.quant, tensor.dtype, tensor.name)
            stored = self.node("QuantizeLinear", [value, *pair], f"{tensor.name}_stored")
            self.stored[tensor.name] = (stored, layout)
            value = self.node("DequantizeLinear", [stored, *pair], f"{tensor.name}_real")
        self.values[tensor.name, layout] = value

    def value(self, name: str, layout: str) -> str:
        """An activation in a layout; the transposition is written once."""
        if (name, layout) not in self.values:
            other = self.values[name, FIRST if layout == LAST else LAST]
            axes = TO_LAST if layout == LAST else TO_FIRST
            self.values[name, layout] = self.node(
                "Transpose", [other], f"{name}_{layout}", perm=list(axes)
            )
        return self.values[name, layout]

    def _shown(self, name: str) -> tuple[str, str, list[int | str]]:
        """Layout, element type and shape in which the file shows an input or output."""
        tensor, port = self.graph.tensors[name], self.graph.ports.get(name)
        shape: tuple[int, ...] = tensor.shape
        layout, dtype = LAST, tensor.dtype
        if port is not None:
            dtype = port.dtype
            if port.axes == (1, 2, 0):
                layout, shape = FIRST, (shape[2], shape[0], shape[1])
            elif port.axes != tuple(range(len(shape))):
                raise GraphError(name, f"is shown in an order of axes {port.axes} that ONNX lacks")
        return layout, dtype, ["N", *shape]

    def _kind(self, dtype: str) -> int:
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def _input(self, name: str) -> Any:
        tensor = self.graph.tensors[name]
        layout, dtype, shape = self._shown(name)
        if tensor.quant is None or dtype == "float32":
            if tensor.quant is None:
                self.values[name, layout] = name
            else:
                self.define(tensor, name, layout)
        else:
            shift = 128 if dtype == "uint8" and tensor.dtype == "int8" else 0
            quant = Quant(tensor.quant.scale, (tensor.quant.zero_point[0] + shift,))
            pair = self.quant_constants(quant, dtype, name)
            real = self.node("DequantizeLinear", [name, *pair], f"{name}_real")
            self.stored[name] = (name, layout)
            self.values[name, layout] = real
        return self.onnx.helper.make_tensor_value_info(name, self._kind(dtype), shape)

    def _output(self, name: str) -> Any:
        tensor = self.graph.tensors[name]
        layout, dtype, shape = self._shown(name)
        if tensor.data is not None:
            raise GraphError(name, "is a constant output, which ONNX export does not write")
        if tensor.quant is not None and dtype != "float32":
            value = self._stored_output(tensor, layout, dtype)
        else:
            value = self.value(name, layout)
        self.nodes.append(
            self.onnx.helper.make_node("Identity", [value], [name + self._clash(name)])
        )
        shown = name + self._clash(name)
        return self.onnx.helper.make_tensor_value_info(shown, self._kind(dtype), shape)

    def _clash(self, name: str) -> str:
        return "_output" if name in self.graph.inputs else ""

    def _stored_output(self, tensor: Tensor, layout: str, dtype: str) -> str:
        assert tensor.quant is not None
        if dtype == tensor.dtype and self.stored.get(tensor.name, ("", ""))[1] == layout:
            return self.stored[tensor.name][0]
        shift = 128 if dtype == "uint8" and tensor.dtype == "int8" else 0
        quant = Quant(tensor.quant.scale, (tensor.quant.zero_point[0] + shift,))
        pair = self.quant_constants(quant, dtype, tensor.name)
        return self.node("QuantizeLinear", [self.value(tensor.name, layout), *pair])


class NodeWriter:
    """One node of the graph, as a form sees it.

    Attributes
    ----------
    op
        The operator.
    inputs, outputs
        Tensors.
    layout
        ``"first"`` or ``"last"``: how `get` and `put` see images; see `follow`.
    """

    def __init__(self, writer: Writer, node: Node) -> None:
        self.writer = writer
        self.op: Any = node.op
        self.inputs = writer.graph.in_of(node)
        self.outputs = writer.graph.out_of(node)
        self.layout = LAST

    @property
    def kind(self) -> type[Op]:
        return type(self.op)

    def follow(self, images: bool = False) -> None:
        """Write the node channels first: always (`images`), or where its inputs already are."""
        if images:
            self.layout = FIRST
            return
        activations = [t for t in self.inputs if not t.is_constant]
        ranks = {len(t.shape) for t in (*activations, *self.outputs)}
        known = self.writer.values
        if ranks == {3} and any((t.name, FIRST) in known for t in activations):
            self.layout = FIRST

    def axis(self, axis: int, rank: int) -> int:
        """The ONNX axis (batch included) of an axis of one sample."""
        axis %= max(rank, 1)
        return (2, 3, 1)[axis] if self.layout == FIRST else axis + 1

    def get(self, index: int) -> str:
        """A real input: an activation in the node's layout, or a constant."""
        tensor = self.inputs[index]
        if tensor.data is None:
            return self.writer.value(tensor.name, self.layout)
        data = tensor.quant.dequantize(tensor.data) if tensor.quant else tensor.data
        if self.layout == FIRST:
            data = data.reshape((1,) * (3 - data.ndim) + data.shape).transpose(2, 0, 1)
        elif data.ndim and len(self.outputs[0].shape) >= data.ndim:
            missing = len(self.outputs[0].shape) - data.ndim
            data = data.reshape((1,) * missing + data.shape)
        return self.writer.constant(data, tensor.name)

    def weights(self, index: int, axes: tuple[int, ...], shape: tuple[int, ...] = ()) -> str:
        """A constant transposed and then reshaped; int8 with its scales where it is quantized."""
        tensor = self.inputs[index]
        if tensor.data is None:
            raise GraphError(tensor.name, "must be a constant to be written as weights")
        data = tensor.data.transpose(axes)
        moved = data.reshape(shape) if shape else data
        name = self.writer.constant(moved, tensor.name)
        quant = tensor.quant
        if quant is None:
            return name
        axis = None
        if quant.axis is not None:
            axis = axes.index(quant.axis)
            if shape:
                axis = next(i for i, n in enumerate(moved.shape) if n == tensor.shape[quant.axis])
        pair = self.writer.quant_constants(
            Quant(quant.scale, quant.zero_point, axis), tensor.dtype, tensor.name
        )
        attributes = {} if axis is None else {"axis": axis}
        return self.writer.node("DequantizeLinear", [name, *pair], f"{name}_real", **attributes)

    def bias(self, index: int) -> str:
        """The bias: float, or int32 with scale input · weights."""
        tensor, x, weights = self.inputs[index], self.inputs[0], self.inputs[1]
        assert tensor.data is not None
        name = self.writer.constant(tensor.data, tensor.name)
        if tensor.data.dtype != np.int32:
            return name
        assert x.quant is not None and weights.quant is not None
        scales = tuple(float(np.float32(x.quant.scale[0] * s)) for s in weights.quant.scale)
        axis = 0 if len(scales) > 1 else None
        quant = Quant(scales, (0,) * len(scales), axis)
        pair = self.writer.quant_constants(quant, "int32", tensor.name)
        attributes = {} if axis is None else {"axis": axis}
        return self.writer.node("DequantizeLinear", [name, *pair], f"{name}_real", **attributes)

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        return self.writer.constant(np.asarray(value, dtype))

    def ints(self, *values: int) -> str:
        """An int64 initializer of one axis."""
        return self.writer.constant(np.asarray(values, np.int64))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.writer.node(kind, inputs, **attributes)

    def many(self, kind: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        return self.writer.many(kind, inputs, count, **attributes)

    def clamp(self, value: str) -> str:
        """The operator's fused clamp, if it has one."""
        low, high = float(self.op.low), float(self.op.high)
        if low == 0.0 and high == np.inf:
            return self.node("Relu", value)
        if low == -np.inf and high == np.inf:
            return value
        bounds = [self.constant(low) if low > -np.inf else "", self.constant(high)]
        return self.node("Clip", value, *(bounds if high < np.inf else bounds[:1]))

    def put(self, value: str, index: int = 0) -> None:
        """Let a real value be an output of the node, in the node's layout."""
        self.writer.define(self.outputs[index], value, self.layout)
