"""Dequantize -> operator -> Quantize becomes one integer operator.

QDQ files say how tensors are quantized by pairs of nodes around float operators. The steps:

0. A constant that is added to a product becomes the product's bias.
1. Quantize moves up and Dequantize moves down past nodes that only move elements (and Quantize
   past clamps, since rounding keeps the order), so that they stand right at the operators.
2. An operator whose inputs all come from Dequantize and whose output only goes to Quantize
   becomes an integer node; constants become the integers that the file holds.
3. Dequantize -> Quantize becomes nothing, or Requantize.
4. A float input that is only quantized becomes an integer input with a float `Port`; outputs too.

What finds no partner stays: a Quantize or Dequantize node beside a float operator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from netsuke.frontend.nchw.value import Twin
from netsuke.frontend.onnx.node_table import NodeTable
from netsuke.ir import Graph, Node, Op, Port, Quant, Tensor, constant
from netsuke.ops import (
    Add,
    AveragePool2d,
    Clamp,
    Dequantize,
    MaxPool2d,
    Quantize,
    ReduceMean,
    Requantize,
    Resize,
)
from netsuke.ops.movement import Movement


def to_integers(graph: Graph, twins: Mapping[str, Twin]) -> Graph:
    """Turn what a file declares quantized into integer nodes.

    Parameters
    ----------
    graph
        A graph in which Quantize and Dequantize stand as nodes.
    twins
        Float constant -> the integers that stand for it in the file.
    """
    if not any(isinstance(node.op, Quantize | Dequantize) for node in graph.nodes):
        return graph
    work = _Rewriting(graph, twins)
    work.each(work.merge_bias)
    work.each(work.lift, backwards=True)
    for step in (work.sink, work.integrate, work.cancel):
        work.each(step)
    work.open_inputs()
    work.open_outputs()
    return work.finish()


def _only_moves(op: Op) -> bool:
    """Whether the operator commutes with any function of single elements that keeps the order."""
    if isinstance(op, Resize):
        return op.mode == "nearest"
    return isinstance(op, Movement | MaxPool2d)


class _Rewriting(NodeTable):
    """The steps above, one node at a time."""

    def __init__(self, graph: Graph, twins: Mapping[str, Twin]) -> None:
        super().__init__(graph)
        self.twins = dict(twins)

    def _computed(self, node: Node) -> list[str]:
        return [name for name in node.inputs if not self.tensors[name].is_constant]

    def _quantized_source(self, name: str) -> str | None:
        """The integers that a float tensor is dequantized from."""
        maker = self.makers.get(name)
        return maker.inputs[0] if maker and isinstance(maker.op, Dequantize) else None

    def merge_bias(self, node: Node) -> None:
        """Give a product without bias the constant that is added to it."""
        if not isinstance(node.op, Add):
            return
        computed = self._computed(node)
        maker = self.makers.get(computed[0]) if len(computed) == 1 else None
        if maker is None or maker.op.rule.bias is None or len(self.readers[maker.name]) != 1:
            return
        place = maker.op.rule.bias
        old = self.tensors[maker.inputs[place]]
        (added,) = (name for name in node.inputs if name != computed[0])
        tensor = self.tensors[added]
        shaped = old.shape == tensor.shape and old.shape == self.tensors[maker.name].shape[-1:]
        plain = (
            getattr(node.op, "low", 0.0) == -math.inf and getattr(node.op, "high", 0.0) == math.inf
        )
        if (
            maker.name in self.outputs
            or not (shaped and plain)
            or old.data is None
            or old.data.any()
        ):
            return
        inputs = (*maker.inputs[:place], added, *maker.inputs[place + 1 :])
        self.exchange([maker, node], [Node(maker.op, inputs, node.outputs)])

    def lift(self, node: Node) -> None:
        """Move a Quantize up past nodes that only move elements or clamp."""
        while isinstance(node.op, Quantize):
            source = node.inputs[0]
            maker = self.makers.get(source)
            if maker is None or source in self.outputs or len(self.readers[source]) != 1:
                return
            if not (_only_moves(maker.op) or isinstance(maker.op, Clamp)):
                return
            if len(self._computed(maker)) != 1 or len(maker.outputs) != 1:
                return
            inner = self._computed(maker)[0]
            quant = self.tensors[node.name].quant
            lifted = self.new(inner, self.tensors[inner], quant)
            inputs = tuple(lifted if name == inner else name for name in maker.inputs)
            above = Node(node.op, (inner,), (lifted,))
            self.exchange([node, maker], [above, Node(maker.op, inputs, node.outputs)])
            node = above

    def sink(self, node: Node) -> None:
        """Move the Dequantize above a node that only moves elements below it."""
        computed = self._computed(node)
        if not _only_moves(node.op) or len(computed) != 1:
            return
        source = self._quantized_source(computed[0])
        if source is None:
            return
        quant = self.tensors[source].quant
        moved = [self.new(name, self.tensors[name], quant) for name in node.outputs]
        inputs = tuple(source if name == computed[0] else name for name in node.inputs)
        below = [
            Node(Dequantize(), (inner,), (outer,))
            for inner, outer in zip(moved, node.outputs, strict=True)
        ]
        self.exchange([node], [Node(node.op, inputs, tuple(moved)), *below])

    def integrate(self, node: Node) -> None:
        """Make an integer node of Dequantize -> node -> Quantize."""
        target = self._only_quantized(node)
        if target is None or not _has_integers(node.op):
            return
        sources = {name: self._quantized_source(name) for name in self._computed(node)}
        if not sources or None in sources.values():
            return
        quant = self.tensors[target[0].name].quant
        assert quant is not None
        inputs = [sources.get(name) or name for name in node.inputs]
        node = replace(node, op=_exact_mean(node.op, self.tensors[inputs[0]], quant))
        result = target[0].name
        made = []
        if node.op.rule.shared and len(sources) > 1:
            inputs = [self._in_quant(name, quant) for name in inputs]
        elif node.op.rule.shared and self.tensors[inputs[0]].quant != quant:
            result = self.new(result, self.tensors[result], self.tensors[inputs[0]].quant)
            made.append(Node(Requantize("int8"), (result,), target[0].outputs))
        constants = self._integer_constants(node, inputs)
        if constants is None:
            return
        inputs = [constants.get(index, name) for index, name in enumerate(inputs)]
        made.append(Node(node.op, tuple(inputs), (result,)))
        copies = [self._alias(other, target[0].name) for other in target[1:]]
        self.exchange([node, *target], [*made, *copies])

    def _alias(self, node: Node, name: str) -> Node:
        """A second Quantize of the same values, as a copy of the first's result."""
        return Node(Requantize("int8"), (name,), node.outputs)

    def _only_quantized(self, node: Node) -> list[Node] | None:
        """The Quantize nodes that read a node's one output, if nobody else does."""
        if len(node.outputs) != 1 or node.name in self.outputs:
            return None
        readers = list(self.readers[node.name].values())
        quants = {self.tensors[reader.name].quant for reader in readers}
        if not all(isinstance(reader.op, Quantize) for reader in readers) or len(quants) != 1:
            return None
        return readers

    def _in_quant(self, name: str, quant: Quant) -> str:
        """The same values in another quantization."""
        tensor = self.tensors[name]
        if tensor.quant in (None, quant):
            return name
        result = self.new(name, tensor, quant)
        self.link(Node(Requantize("int8"), (name,), (result,)))
        return result

    def _integer_constants(self, node: Node, inputs: Sequence[str]) -> dict[int, str] | None:
        """Integer constants by input number; None when the file does not give them all."""
        rule = node.op.rule
        found: dict[int, str] = {}
        for index, name in enumerate(inputs):
            tensor = self.tensors[name]
            if not tensor.is_constant or tensor.dtype != "float32" or index == rule.bias:
                continue
            if index in rule.float_inputs:
                continue
            twin = self.twins.get(name) or _exact_scalar(tensor)
            if twin is None or not _is_usable(twin, rule.weights.get(index)):
                return None
            found[index] = self._constant(name, twin)
        if rule.bias is not None:
            (weights_index,) = rule.weights
            weights = self.tensors[found.get(weights_index, inputs[weights_index])]
            activation = self.tensors[inputs[0]]
            bias = self.tensors[inputs[rule.bias]]
            if weights.quant is None or activation.quant is None or bias.data is None:
                return None
            found[rule.bias] = self._constant(
                bias.name, _bias(bias, self.twins.get(bias.name), activation.quant, weights.quant)
            )
        return found

    def _constant(self, name: str, twin: Twin) -> str:
        """Add an integer constant; the float one disappears if nobody reads it any more."""
        for candidate in (f"{name}.integers", *(f"{name}.integers{i}" for i in range(1, 1000))):
            present = self.tensors.get(candidate)
            if present is None:
                break
            same = present.data is not None and np.array_equal(present.data, twin.stored)
            if same and present.quant == twin.quant:
                return candidate
        self.tensors[candidate] = constant(candidate, twin.stored, twin.quant)
        self.readers[candidate] = {}
        return candidate

    def cancel(self, node: Node) -> None:
        """Replace Dequantize -> Quantize by Requantize, or by nothing."""
        if isinstance(node.op, Quantize):
            source = self._quantized_source(node.inputs[0])
            if source is not None:
                made = Node(Requantize("int8"), (source,), node.outputs)
                self.exchange([node], [made])
                node = made
        if isinstance(node.op, Requantize):
            source = node.inputs[0]
            if self.tensors[source].quant == self.tensors[node.name].quant:
                self.merge(node, source)

    def open_inputs(self) -> None:
        """Take integers where a float input is only quantized."""
        for name in self.graph.inputs:
            tensor = self.tensors[name]
            readers = list(self.readers[name].values())
            if tensor.dtype != "float32" or name in self.outputs or not readers:
                continue
            quants = {self.tensors[reader.name].quant for reader in readers}
            if len(quants) != 1 or not all(isinstance(r.op, Quantize) for r in readers):
                continue
            if any(reader.name in self.outputs for reader in readers):
                continue
            self.tensors[name] = replace(tensor, dtype="int8", quant=quants.pop())
            self.ports[name] = Port(tuple(range(len(tensor.shape))), "float32")
            for reader in readers:
                self.merge(reader, name)

    def open_outputs(self) -> None:
        """Hand out integers where a float output is only dequantized."""
        for name in self.graph.outputs:
            node = self.makers.get(name)
            if node is None or not isinstance(node.op, Dequantize) or self.readers[name]:
                continue
            source = node.inputs[0]
            maker = self.makers.get(source)
            if maker is None or source in self.outputs:
                continue
            self.unlink(node)
            self.rename(source, name)
            rank = len(self.tensors[name].shape)
            self.ports[name] = Port(tuple(range(rank)), "float32")


def _exact_mean(op: Op, x: Tensor, quant: Quant) -> Op:
    """The mean of a whole image as a reduction, which rounds once where the scale changes."""
    if not isinstance(op, AveragePool2d) or op.kernel != x.shape[:2] or x.quant == quant:
        return op
    mean = ReduceMean((0, 1), keepdims=True)
    plain = op.padding == ((0, 0), (0, 0)) and (op.low, op.high) == (-math.inf, math.inf)
    return mean if plain and _has_integers(mean) else op


def _has_integers(op: Op) -> bool:
    if isinstance(op, Quantize | Dequantize):
        return False
    return type(op).quantized is not Op.quantized


def _is_usable(twin: Twin, axis: int | None) -> bool:
    """Whether integer kernels can use a constant's quantization."""
    quant = twin.quant
    if quant.bits != 8:
        return False
    return quant.axis is None or (quant.axis == axis and not any(quant.zero_point))


def _exact_scalar(tensor: Tensor) -> Twin | None:
    """One real number as the integer 1 (or -1, 0) times a scale."""
    if tensor.data is None or tensor.elements != 1:
        return None
    number = float(tensor.data.reshape(-1)[0])
    quant = Quant((abs(number) or 1.0,))
    return Twin(np.full(tensor.shape, np.sign(number), np.int8), quant)


def _bias(bias: Tensor, twin: Twin | None, x: Quant, weights: Quant) -> Twin:
    """The int32 bias that counts in steps of input scale · weight scale."""
    steps = np.array([x.scale[0] * scale for scale in weights.scale])
    axis = 0 if len(steps) > 1 else None
    quant = Quant(tuple(steps.tolist()), (0,) * len(steps), axis, 32)
    if twin is not None and twin.quant.bits == 32:
        given = np.array(twin.quant.scale)
        if not any(twin.quant.zero_point) and np.allclose(given, steps, rtol=1e-5, atol=0.0):
            return Twin(twin.stored, quant)
    assert bias.data is not None
    limit = (1 << 31) - 1
    counted = np.clip(np.rint(bias.data.astype(np.float64) / steps), -limit, limit)
    return Twin(counted.astype(np.int32), quant)
