"""What is done to the nodes of a file before they are imported.

Nodes that no output depends on are left out. Gelu as exporters before opset 20 write it, with
Erf, becomes one node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def prepare_nodes(graph: Any) -> list[Any]:
    """The nodes that matter, with every x/2 · (1 + erf(x/√2)) replaced by Gelu.

    The factors may stand in any order, and 1/2 may multiply x, the sum or the product.
    """
    nodes = list(graph.node)
    if not any(node.op_type == "Erf" for node in nodes):
        return _without_dead(nodes, graph)
    search = _Search(graph)
    replaced: dict[int, Any] = {}
    for node in nodes:
        if node.op_type == "Erf":
            found = search.gelu(node)
            if found is not None:
                last, source = found
                replaced[id(last)] = _gelu(last, source)
    return _without_dead([replaced.get(id(node), node) for node in nodes], graph)


def _gelu(last: Any, source: str) -> Any:
    from onnx import helper

    return helper.make_node("Gelu", [source], [last.output[0]], name=last.name)


def _without_dead(nodes: list[Any], graph: Any) -> list[Any]:
    """The nodes that an output depends on."""
    live = {output.name for output in graph.output}
    kept = []
    for node in reversed(nodes):
        if any(name in live for name in node.output):
            live.update(reads_of(node))
            kept.append(node)
    return kept[::-1]


def reads_of(node: Any) -> Iterator[str]:
    """Names that a node reads, also those that the graphs in its attributes read."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield from (output.name for output in attribute.g.output)
            for inner in attribute.g.node:
                yield from reads_of(inner)


class _Search:
    """Who makes and reads what, and which values are single numbers."""

    def __init__(self, graph: Any) -> None:
        self.makers = {name: node for node in graph.node for name in node.output if name}
        self.readers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {output.name for output in graph.output}
        self.numbers = _numbers(graph)

    def gelu(self, erf: Any) -> tuple[Any, str] | None:
        """(last node, name of x) of the formula around an Erf."""
        source = self._scaled(self.makers.get(erf.input[0]), math.sqrt(0.5))
        total = self._reader(erf, "Add")
        if source is None or total is None or self._other_number(total, erf.output[0]) != 1.0:
            return None
        half, node = 1.0, total
        seen_source = False
        for _ in range(2):
            product = self._reader(node, "Mul")
            if product is None:
                break
            number = self._other_number(product, node.output[0])
            other = self._other(product, node.output[0])
            if number is not None:
                half *= number
            elif not seen_source and other == source:
                seen_source = True
            elif not seen_source and self._scaled(self.makers.get(other), 0.5) == source:
                seen_source, half = True, half * 0.5
            else:
                break
            node = product
        return (node, source) if seen_source and math.isclose(half, 0.5, rel_tol=1e-3) else None

    def _reader(self, node: Any, kind: str) -> Any:
        """The only reader of a node, if it is of a kind."""
        readers = self.readers.get(node.output[0], [])
        if len(readers) != 1 or node.output[0] in self.outputs or readers[0].op_type != kind:
            return None
        return readers[0]

    def _other(self, node: Any, name: str) -> str:
        first, second = node.input[0], node.input[1]
        return str(second if first == name else first)

    def _other_number(self, node: Any, name: str) -> float | None:
        return self.numbers.get(self._other(node, name))

    def _scaled(self, node: Any, factor: float) -> str | None:
        """x, if a node computes factor · x."""
        if node is None or node.op_type not in ("Mul", "Div") or len(node.input) != 2:
            return None
        for source, scale in ((0, 1), (1, 0)) if node.op_type == "Mul" else ((0, 1),):
            number = self.numbers.get(node.input[scale])
            if number is None or number == 0.0:
                continue
            actual = number if node.op_type == "Mul" else 1.0 / number
            if math.isclose(actual, factor, rel_tol=1e-3):
                return str(node.input[source])
        return None


def _numbers(graph: Any) -> Mapping[str, float]:
    """Values of initializers and Constant nodes that hold one number."""
    from onnx import numpy_helper

    tensors = {tensor.name: tensor for tensor in graph.initializer if not tensor.external_data}
    numbers: dict[str, float] = {}
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
                elif attribute.name == "value_float":
                    numbers[node.output[0]] = attribute.f
    for name, tensor in tensors.items():
        if math.prod(tensor.dims) == 1:
            try:
                array = np.asarray(numpy_helper.to_array(tensor), np.float64)
            except (ValueError, TypeError):
                continue
            numbers[name] = float(array.reshape(-1)[0]) if array.size else math.nan
    return numbers
