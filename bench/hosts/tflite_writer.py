"""A graph as a TFLite file, for LiteRT as a peer: the operators of the compared networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from netsuke.ir import Graph, Node, Tensor
from netsuke.ops.window import same_padding

TYPES = {"float32": 0, "int8": 9, "int32": 2}
NONE, RELU, RELU6 = 0, 1, 3
SAME, VALID = 0, 1


def to_tflite(graph: Graph, batch: int = 1) -> bytes:
    """Write a graph, int8 or float, whose operators all stand in `WRITERS`, for `batch` samples.

    Raises
    ------
    KeyError
        For another operator.
    """
    writer = _Writer(graph, batch)
    for node in graph.nodes:
        WRITERS[node.op.kind](writer, node)
    return writer.finish()


class _Writer:
    def __init__(self, graph: Graph, batch: int) -> None:
        self.graph, self.batch = graph, batch
        self.buffers = [schema.BufferT()]
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[str] = []
        self.numbers: dict[str, int] = {}

    def tensor(self, name: str, tensor: Tensor, data: np.ndarray | None) -> int:
        """The number of a tensor; activations get their batch axis here."""
        if name in self.numbers:
            return self.numbers[name]
        made = schema.TensorT()
        shape = tensor.shape if data is None else data.shape
        made.shape = [self.batch, *shape] if data is None else list(shape)
        made.name, made.type = name, TYPES[tensor.dtype]
        buffer = schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        made.buffer = len(self.buffers)
        self.buffers.append(buffer)
        if tensor.quant is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array(tensor.quant.scale, np.float32)
            made.quantization.zeroPoint = np.array(tensor.quant.zero_point, np.int64)
            axis = tensor.quant.axis or 0
            added = 0 if data is None else data.ndim - len(tensor.shape)
            made.quantization.quantizedDimension = axis + added
        self.tensors.append(made)
        self.numbers[name] = len(self.tensors) - 1
        return self.numbers[name]

    def activation(self, name: str) -> int:
        return self.tensor(name, self.graph.tensors[name], None)

    def constant(self, name: str, reshape: Callable[[np.ndarray], np.ndarray]) -> int:
        tensor = self.graph.tensors[name]
        assert tensor.data is not None
        return self.tensor(name, tensor, reshape(tensor.data))

    def add(self, code: str, node: Node, inputs: list[int], options: Any) -> None:
        if code not in self.codes:
            self.codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = self.codes.index(code)
        made.inputs = inputs
        made.outputs = [self.activation(name) for name in node.outputs]
        made.builtinOptions = options
        kind = type(options).__name__.removesuffix("T")
        made.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self.operators.append(made)

    def finish(self) -> bytes:
        main = schema.SubGraphT()
        main.tensors, main.operators = self.tensors, self.operators
        main.inputs = [self.numbers[name] for name in self.graph.inputs]
        main.outputs = [self.numbers[name] for name in self.graph.outputs]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [main], self.buffers
        model.operatorCodes = [_code(name) for name in self.codes]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _code(name: str) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "RESHAPE": 1}.get(name, 2)
    return code


def _activation(op: Any) -> int:
    if op.low == 0.0 and op.high in (np.inf, 6.0):
        return RELU if op.high == np.inf else RELU6
    assert (op.low, op.high) == (-np.inf, np.inf), op
    return NONE


def _padding(op: Any, image: tuple[int, ...], kernel: tuple[int, ...]) -> int:
    if not any(map(any, op.padding)):
        return VALID
    for axis, pad in enumerate(op.padding):
        assert pad == same_padding(image[axis], kernel[axis], op.stride[axis]), op
    return SAME


def _window(options: Any, op: Any, image: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    options.padding = _padding(op, image, kernel)
    options.strideH, options.strideW = op.stride


def _conv2d(writer: _Writer, node: Node) -> None:
    x, weights, bias = node.inputs
    options = schema.Conv2DOptionsT()
    shape = writer.graph.tensors[weights].shape
    _window(options, node.op, writer.graph.tensors[x].shape, shape[1:3])
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = _activation(node.op)
    constants = [writer.constant(weights, lambda w: w), writer.constant(bias, lambda b: b)]
    writer.add("CONV_2D", node, [writer.activation(x), *constants], options)


def _depthwise(writer: _Writer, node: Node) -> None:
    x, weights, bias = node.inputs
    options = schema.DepthwiseConv2DOptionsT()
    shape = writer.graph.tensors[weights].shape
    _window(options, node.op, writer.graph.tensors[x].shape, shape[:2])
    options.depthMultiplier = options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = _activation(node.op)
    constants = [writer.constant(weights, lambda w: w[None]), writer.constant(bias, lambda b: b)]
    writer.add("DEPTHWISE_CONV_2D", node, [writer.activation(x), *constants], options)


def _dense(writer: _Writer, node: Node) -> None:
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _activation(node.op)
    constants = [writer.constant(name, lambda a: a) for name in node.inputs[1:]]
    writer.add("FULLY_CONNECTED", node, [writer.activation(node.inputs[0]), *constants], options)


def _add(writer: _Writer, node: Node) -> None:
    options = schema.AddOptionsT()
    options.fusedActivationFunction = _activation(node.op)
    writer.add("ADD", node, [writer.activation(name) for name in node.inputs], options)


def _pool(writer: _Writer, node: Node) -> None:
    op: Any = node.op
    options = schema.Pool2DOptionsT()
    _window(options, op, writer.graph.tensors[node.inputs[0]].shape, op.kernel)
    options.filterHeight, options.filterWidth = op.kernel
    code = "MAX_POOL_2D" if op.kind == "max_pool2d" else "AVERAGE_POOL_2D"
    writer.add(code, node, [writer.activation(node.inputs[0])], options)


def _concat(writer: _Writer, node: Node) -> None:
    op: Any = node.op
    options = schema.ConcatenationOptionsT()
    options.axis = op.axis + 1
    inputs = [writer.activation(name) for name in node.inputs]
    writer.add("CONCATENATION", node, inputs, options)


def _reshape(writer: _Writer, node: Node) -> None:
    options = schema.ReshapeOptionsT()
    options.newShape = [writer.batch, *writer.graph.tensors[node.outputs[0]].shape]
    shape = np.array(options.newShape, np.int32)
    tensor = Tensor(f"{node.name}.shape", shape.shape, "int32", data=shape)
    inputs = [writer.activation(node.inputs[0]), writer.tensor(tensor.name, tensor, shape)]
    writer.add("RESHAPE", node, inputs, options)


def _softmax(writer: _Writer, node: Node) -> None:
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    writer.add("SOFTMAX", node, [writer.activation(node.inputs[0])], options)


WRITERS: dict[str, Callable[[_Writer, Node], None]] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise,
    "dense": _dense,
    "add": _add,
    "average_pool2d": _pool,
    "max_pool2d": _pool,
    "concat": _concat,
    "reshape": _reshape,
    "softmax": _softmax,
}
"""Operator -> what writes it."""
