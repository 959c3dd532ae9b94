"""TensorFlow Lite models built by hand, and LiteRT to run them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from netsuke.frontend.tflite import parse_tflite
from netsuke.ir import Array, Graph, interpret

flatbuffers = pytest.importorskip("flatbuffers", reason="left out: no ai-edge-litert")
schema = pytest.importorskip(
    "ai_edge_litert.schema_py_generated", reason="left out: no ai-edge-litert"
)
interpreters = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="left out: no ai-edge-litert"
)

DTYPES = {
    "float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7,
    "int8": 9, "float64": 10, "int4": 17,
}  # fmt: skip


class Model:
    """A model under construction: tensors, operators, then `bytes`."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "float32",
        quant: tuple[Any, ...] | None = None,
        data: Any = None,
        name: str | None = None,
        **fields: Any,
    ) -> int:
        """Add a tensor; `quant` is (scale or scales, zero point or points[, axis])."""
        tensor = schema.TensorT()
        number = len(self.graph.tensors)
        tensor.name = f"t{number}" if name is None else name
        tensor.shape, tensor.type = list(shape), DTYPES[dtype]
        tensor.buffer = len(self.model.buffers)
        buffer = schema.BufferT()
        if data is not None:
            stored = "int8" if dtype == "int4" else dtype
            raw = np.asarray(data, stored) if dtype != "int4" else np.asarray(data, np.uint8)
            buffer.data = np.frombuffer(raw.tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        if quant is not None:
            scale, zero = np.atleast_1d(quant[0]), np.atleast_1d(quant[1])
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scale.astype(np.float32)
            tensor.quantization.zeroPoint = zero.astype(np.int64)
            tensor.quantization.quantizedDimension = quant[2] if len(quant) > 2 else 0
        for field, value in fields.items():
            setattr(tensor, field, value)
        self.graph.tensors.append(tensor)
        return number

    def constant(self, data: Any, dtype: str = "int32", quant: Any = None, **fields: Any) -> int:
        array = np.asarray(data)
        return self.tensor(array.shape, dtype, quant, array, **fields)

    def op(
        self,
        kind: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: str | None = None,
        version: int = 1,
        **fields: Any,
    ) -> None:
        """Add an operator; `options` names its table of options, `fields` fills it."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        self.model.operatorCodes.append(code)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")()
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        self.graph.operators.append(operator)

    def bytes(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return repack(self.model)


def repack(model: Any) -> bytes:
    """The bytes of a model of the schema's object interface."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class LiteRT:
    """LiteRT's default optimized kernels, without any delegate."""

    def __init__(self, data: bytes) -> None:
        resolver = interpreters.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.interpreter = interpreters.Interpreter(
            model_content=data, experimental_op_resolver_type=resolver, num_threads=1
        )
        self.interpreter.allocate_tensors()
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()

    def random(self, generator: np.random.Generator) -> list[Array]:
        """Inputs of the types that the model takes: any integers, reals of a few units."""
        feeds = []
        for detail in self.inputs:
            dtype, shape = np.dtype(detail["dtype"]), detail["shape"]
            if np.issubdtype(dtype, np.integer):
                limits = np.iinfo(dtype)
                feeds.append(
                    generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
                )
            else:
                feeds.append((3 * generator.standard_normal(shape)).astype(dtype))
        return feeds

    def run(self, feeds: Sequence[Array]) -> list[Array]:
        for detail, feed in zip(self.inputs, feeds, strict=True):
            self.interpreter.set_tensor(detail["index"], feed)
        self.interpreter.reset_all_variables()
        self.interpreter.invoke()
        return [np.array(self.interpreter.get_tensor(d["index"])) for d in self.outputs]


def stored(graph: Graph, name: str, shown: Array) -> Array:
    """A value of the file (batch of one included) as the graph stores it."""
    value = shown.reshape(graph.tensors[name].shape)
    port = graph.ports.get(name)
    if port is not None and port.dtype == "uint8" and value.dtype == np.uint8:
        return (value ^ np.uint8(128)).view(np.int8)
    return value.astype(graph.tensors[name].dtype)


def run_graph(graph: Graph, feeds: Sequence[Array]) -> list[Array]:
    values = {n: stored(graph, n, feed) for n, feed in zip(graph.inputs, feeds, strict=True)}
    results = interpret(graph, values)
    return [results[name] for name in graph.outputs]


def differences(data: bytes, samples: int = 20, seed: int = 0) -> float:
    """The largest difference from LiteRT: in stored steps, or for reals relative to 1."""
    graph, oracle = parse_tflite(data), LiteRT(data)
    generator = np.random.default_rng(seed)
    worst = 0.0
    for _ in range(samples):
        feeds = oracle.random(generator)
        expected = oracle.run(feeds)
        for name, ours, theirs in zip(
            graph.outputs, run_graph(graph, feeds), expected, strict=True
        ):
            theirs = stored(graph, name, theirs)
            gap = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
            if ours.dtype == np.float32:
                gap = gap / np.maximum(np.abs(theirs), 1.0)
            worst = max(worst, float(np.nan_to_num(gap, nan=0.0).max(initial=0.0)))
    return worst
