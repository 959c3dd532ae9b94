"""Graph -> ONNX."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from netsuke.codegen.onnx.document import Site, Writer, identity
from netsuke.errors import UnsupportedOperatorError
from netsuke.ir import Axes, Graph, Op, Port, Tensor

OPSET = 20
"""The oldest opset that has all operators that are written (Gelu)."""

_IR_VERSION = 9

_ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int16": 5, "int32": 6, "int64": 7, "bool": 9}


def to_onnx(graph: Graph) -> bytes:
    """Write a graph as an ONNX file.

    Parameters
    ----------
    graph
        Float, or quantized: then it is written with QuantizeLinear and DequantizeLinear.

    Returns
    -------
    bytes
        A file with a free batch axis in front of every input and output, whose inputs and
        outputs have the layout and element type that the graph's `Port` says. The same graph
        gives the same bytes.

    Raises
    ------
    UnsupportedOperatorError
        Naming every node that ONNX has no operators for.
    """
    from onnx import helper

    exports = {type(node.op): export_of(type(node.op)) for node in graph.nodes}
    missing = tuple(
        (node.op.kind, node.name, "cannot be written as ONNX")
        for node in graph.nodes
        if exports[type(node.op)] is None
    )
    if missing:
        raise UnsupportedOperatorError(graph.name, missing)
    writer = Writer(graph)
    inputs = [_input(writer, graph.tensors[name]) for name in graph.inputs]
    for node in graph.nodes:
        export = exports[type(node.op)]
        assert export is not None
        export(node.op, Site(writer, node))
    outputs = [_output(writer, graph.tensors[name]) for name in graph.outputs]
    written = helper.make_graph(
        _live(writer, [info.name for info in outputs]),
        graph.name,
        inputs,
        outputs,
        writer.initializers,
    )
    model = helper.make_model(
        written,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="netsuke",
    )
    return bytes(model.SerializeToString(deterministic=True))


def export_of(operator: type[Op]) -> Callable[[Any, Any], None] | None:
    """The function `export` in the operator's folder, None when there is none."""
    try:
        module = importlib.import_module(f"{operator.__module__}.to_onnx")
    except ModuleNotFoundError:
        return None
    export: Callable[[Any, Any], None] = module.export
    return export


def _live(writer: Writer, outputs: list[str]) -> list[Any]:
    """Nodes and initializers that an output depends on."""
    live = set(outputs)
    kept = []
    for node in reversed(writer.nodes):
        if live.intersection(node.output):
            live.update(node.input)
            kept.append(node)
    writer.initializers = [tensor for tensor in writer.initializers if tensor.name in live]
    return kept[::-1]


def _shown(graph: Graph, tensor: Tensor) -> tuple[Axes, str]:
    """(order, element type) in which the file shows an input or output."""
    port = graph.ports.get(tensor.name, Port(identity(tensor), tensor.dtype))
    return tuple(int(axis) for axis in np.argsort(port.axes)), port.dtype


def _info(name: str, tensor: Tensor, order: Axes, dtype: str) -> Any:
    from onnx import helper

    shape: list[str | int | None] = ["batch", *(tensor.shape[axis] for axis in order)]
    return helper.make_tensor_value_info(name, _ELEMENTS[dtype], shape)


def _input(writer: Writer, tensor: Tensor) -> Any:
    order, dtype = _shown(writer.graph, tensor)
    name = tensor.name
    if tensor.quant is not None:
        real = writer.fresh(f"{name}.real")
        if dtype == "float32":
            stored = writer.fresh(f"{name}.stored")
            writer.quantize(name, tensor.quant, tensor.dtype, stored)
            writer.dequantize(stored, tensor.quant, tensor.dtype, real)
        else:
            writer.dequantize(name, tensor.quant, dtype, real)
        writer.forms[name] = {order: real}
    else:
        writer.forms[name] = {order: name}
    return _info(name, tensor, order, dtype)


def _output(writer: Writer, tensor: Tensor) -> Any:
    order, dtype = _shown(writer.graph, tensor)
    name = writer.form(tensor, order)
    if tensor.quant is not None and dtype != "float32":
        stored, place = writer.stored.get(tensor.name, ("", ()))
        if place == order and dtype == tensor.dtype:
            name = stored
        else:
            integers = writer.fresh(f"{tensor.name}.integers")
            writer.quantize(name, tensor.quant, dtype, integers)
            name = integers
    if name != tensor.name:
        _take_name(writer, tensor.name, name)
    return _info(tensor.name, tensor, order, dtype)


def _take_name(writer: Writer, wanted: str, name: str) -> None:
    """Call a value what the output is called; whatever had the name gets another one."""
    shown = {*writer.graph.inputs, *writer.graph.outputs}
    writer.rename(wanted, writer.fresh(f"{wanted}.inner"), 0)
    if name in shown or any(tensor.name == name for tensor in writer.initializers):
        writer.emit("Identity", [name], [wanted])
    else:
        writer.rename(name, wanted, 0)
