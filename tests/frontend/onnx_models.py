"""Small ONNX files, put together by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from netsuke.frontend.nchw.walk import Imported
from netsuke.frontend.onnx.importer import import_model
from netsuke.ir import Array, Graph, interpret

ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """A node; names are separated by blanks, ``-`` is an input that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(kind, names, outputs.split(), **attributes)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Sequence[int | str | None]],
    outputs: Sequence[str],
    constants: Mapping[str, Array] | None = None,
    opset: int = 17,
    dtypes: Mapping[str, str] | None = None,
) -> Any:
    """A ModelProto."""
    kinds = dict(dtypes or {})
    graph = helper.make_graph(
        list(nodes),
        "test",
        [
            helper.make_tensor_value_info(name, ELEMENTS[kinds.get(name, "float32")], list(shape))
            for name, shape in inputs.items()
        ],
        [
            helper.make_tensor_value_info(name, ELEMENTS[kinds.get(name, "float32")], None)
            for name in outputs
        ],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in (constants or {}).items()],
    )
    domains = {entry.domain for entry in nodes}
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(domain, 1) for domain in sorted(domains) if domain]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def run_oracle(file: Any, feeds: Mapping[str, Array]) -> list[Array]:
    """Outputs of ONNX Runtime, without its own fusions."""
    ort = pytest.importorskip("onnxruntime", reason="left out: ONNX Runtime is not installed")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    data = file if isinstance(file, bytes) else file.SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run(None, feeds)


def to_stored(graph: Graph, name: str, shown: Array) -> Array:
    """One sample of the file as the graph has it."""
    tensor, port = graph.tensors[name], graph.ports.get(name)
    if port is None:
        return shown
    value = shown.transpose(port.axes)
    if port.dtype == "float32" and tensor.quant is not None:
        return tensor.quant.quantize(value)
    if port.dtype == "uint8":
        return (value.astype(np.int16) - 128).astype(np.int8)
    return value


def to_shown(graph: Graph, name: str, stored: Array) -> Array:
    """The reverse of `to_stored`."""
    tensor, port = graph.tensors[name], graph.ports.get(name)
    if port is None:
        return stored
    value = stored.transpose(np.argsort(port.axes))
    if port.dtype == "float32" and tensor.quant is not None:
        return tensor.quant.dequantize(value)
    if port.dtype == "uint8":
        return (value.astype(np.int16) + 128).astype(np.uint8)
    return value


def run_graph(imported: Imported, feeds: Mapping[str, Array]) -> list[Array]:
    """Outputs of the imported graph, in the file's form, batch axis and all."""
    graph = imported.graph
    counts = [
        feeds[name].shape[axis]
        for name, axis in zip(graph.inputs, imported.inputs, strict=True)
        if axis is not None
    ]
    rows = []
    for index in range(max(counts, default=1)):
        sample = {
            name: to_stored(
                graph,
                name,
                np.array(feeds[name] if axis is None else feeds[name].take(index, axis)),
            )
            for name, axis in zip(graph.inputs, imported.inputs, strict=True)
        }
        rows.append(interpret(graph, sample))
    results = []
    for name, axis in zip(graph.outputs, imported.outputs, strict=True):
        values = [to_shown(graph, name, row[name]) for row in rows]
        results.append(values[0] if axis is None else np.stack(values, axis))
    return results


def check(
    file: Any, feeds: Mapping[str, Array], tolerance: float = 1e-4, **options: Any
) -> Imported:
    """Import a model and compare it with ONNX Runtime."""
    imported = import_model(file, **options)
    expected = run_oracle(file, feeds)
    for got, wanted in zip(run_graph(imported, feeds), expected, strict=True):
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)
    return imported


def random(*shape: int, seed: int = 0) -> Array:
    """Normally distributed float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
