"""The text form of a graph, for eyes and for golden files."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from netsuke.ir.graph import Graph
from netsuke.ir.op import Op
from netsuke.ir.tensor import Quant, Tensor


def to_text(graph: Graph) -> str:
    """Return one line an input, node and output, in order.

    Examples
    --------
    A line reads ``y: int8[8,8,16] q(0.02,-128) = conv2d(x, w, b) stride=(2, 2)``.
    """
    lines = [f"graph {graph.name}"]
    lines += [f"  input {_declare(graph.tensors[name])}" for name in graph.inputs]
    for node in graph.nodes:
        left = ", ".join(_declare(tensor) for tensor in graph.out_of(node))
        arguments = ", ".join(
            f"{tensor.name}:{tensor.dtype}{_shape(tensor)}" if tensor.is_constant else tensor.name
            for tensor in graph.in_of(node)
        )
        lines.append(f"  {left} = {node.op.kind}({arguments}){_attributes(node.op)}")
    lines += [f"  output {name}" for name in graph.outputs]
    for name, port in sorted(graph.ports.items()):
        lines.append(f"  port {name} axes={port.axes} dtype={port.dtype}")
    return "\n".join(lines) + "\n"


def _shape(tensor: Tensor) -> str:
    return "[" + ",".join(map(str, tensor.shape)) + "]"


def _declare(tensor: Tensor) -> str:
    return f"{tensor.name}: {tensor.dtype}{_shape(tensor)}{_quant(tensor.quant)}"


def _quant(quant: Quant | None) -> str:
    if quant is None:
        return ""
    if len(quant.scale) > 1:
        return f" q({len(quant.scale)} scales, axis {quant.axis})"
    return f" q({quant.scale[0]:.9g},{quant.zero_point[0]})"


def _attributes(op: Op) -> str:
    if not is_dataclass(op):
        return ""
    return "".join(f" {f.name}={getattr(op, f.name)}" for f in fields(op))
