"""Single-operator TFLite models, run by LiteRT's default optimized kernels, as an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from netsuke.ir import Array, Quant

flatbuffers = pytest.importorskip("flatbuffers", reason="left out: LiteRT is the oracle")
schema = pytest.importorskip(
    "ai_edge_litert.schema_py_generated", reason="left out: LiteRT is the oracle"
)

TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9}


@dataclass(frozen=True)
class Value:
    """A tensor of the model, with its batch axis if it has one."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    quant: Quant | None = None
    data: Array | None = None


def _tensor(value: Value, name: str, buffers: list[Any]) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = name, list(value.shape), TYPES[value.dtype]
    buffer = schema.BufferT()
    if value.data is not None:
        buffer.data = np.frombuffer(np.ascontiguousarray(value.data).tobytes(), np.uint8)
    tensor.buffer = len(buffers)
    buffers.append(buffer)
    if value.quant is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.array(value.quant.scale, np.float32)
        tensor.quantization.zeroPoint = np.array(value.quant.zero_point, np.int64)
        tensor.quantization.quantizedDimension = value.quant.axis or 0
    return tensor


def model_of(
    operator: str, inputs: Sequence[Value], outputs: Sequence[Value], options: Any, version: int
) -> bytes:
    """The bytes of a model with one operator."""
    buffers = [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(v, f"t{i}", buffers) for i, v in enumerate([*inputs, *outputs])]
    node = schema.OperatorT()
    node.opcodeIndex = 0
    node.inputs = list(range(len(inputs)))
    node.outputs = list(range(len(inputs), len(inputs) + len(outputs)))
    if options is not None:
        node.builtinOptions = options
        node.builtinOptionsType = getattr(
            schema.BuiltinOptions, type(options).__name__.removesuffix("T")
        )
    graph.operators = [node]
    graph.inputs = [i for i, value in enumerate(inputs) if value.data is None]
    graph.outputs = node.outputs
    model = schema.ModelT()
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = version
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs, model.buffers = [graph], buffers
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def litert(
    operator: str,
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    feeds: Sequence[Array],
    options: Any = None,
    version: int = 2,
) -> list[Array]:
    """Outputs of one operator on its optimized kernel, without any delegate."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model_of(operator, inputs, outputs, options, version),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    for detail, feed in zip(interpreter.get_input_details(), feeds, strict=True):
        interpreter.set_tensor(detail["index"], feed)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
