"""A float graph with its quantizations written out in integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from netsuke.compress.quantize.bias_correction import expected_shift
from netsuke.compress.quantize.ranges import Statistics, affine_quant, weight_scales
from netsuke.errors import QuantizationError
from netsuke.ir import Array, Graph, Node, Port, Quant, Tensor, constant
from netsuke.ir.layout import identity
from netsuke.ops.requantize import Requantize
from netsuke.passes.edit import Edit
from netsuke.passes.linear import is_linear

LARGEST_BIAS = 1 << 30
"""Biases stay below this, so that the other half of int32 is left to the weights."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How weights become integers.

    Attributes
    ----------
    ranges
        Method for the scales of weights.
    per_channel
        One scale an output channel, where the operator allows it.
    bias_correction
        Whether biases make up for the mean error of rounded weights.
    """

    ranges: str
    per_channel: bool
    bias_correction: bool


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Integers of a layer's weights that somebody else has found.

    Attributes
    ----------
    scales
        One, or one along the axis of the weights.
    stored
        int8 of the weights' shape, chosen together with the bias as it is, which then is not
        corrected; None rounds to the nearest.
    """

    scales: Array
    stored: Array | None = None


class Conversion:
    """The integer graph under construction."""

    def __init__(
        self,
        graph: Graph,
        quants: Mapping[str, Quant],
        statistics: Mapping[str, Statistics],
        recipe: Recipe,
        chosen: Mapping[tuple[str, int], Chosen] | None = None,
    ) -> None:
        self.graph = graph
        self.edit = Edit(graph)
        self.quants = quants
        self.statistics = statistics
        self.recipe = recipe
        self.chosen = chosen or {}
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self.stored: dict[tuple[str, Quant], str] = {}

    def build(self) -> Graph:
        """The graph in integers."""
        for name in self.graph.inputs:
            self.declare(name)
        for node in self.graph.nodes:
            inputs = tuple(self.inputs_of(node))
            for name in node.outputs:
                self.declare(name)
            self.nodes.append(Node(node.op, inputs, node.outputs))
        for name in self.graph.outputs:
            if name not in self.tensors:
                self.declare(name)
        return replace(
            self.graph,
            nodes=tuple(self.nodes),
            tensors=self.tensors,
            ports={**self.graph.ports, **self.ports()},
        )

    def ports(self) -> dict[str, Port]:
        """Inputs and outputs that people see as real numbers."""
        shown = {}
        for name in (*self.graph.inputs, *self.graph.outputs):
            tensor = self.graph.tensors[name]
            if tensor.dtype == "float32" and not tensor.is_constant:
                before = self.graph.ports.get(name)
                axes = before.axes if before else identity(len(tensor.shape))
                shown[name] = Port(axes, "float32")
        return shown

    def declare(self, name: str) -> None:
        """Take a tensor over, in integers if it has a quantization."""
        tensor = self.graph.tensors[name]
        if name in self.quants:
            tensor = replace(tensor, dtype="int8", quant=self.quants[name])
        self.tensors[name] = tensor

    def inputs_of(self, node: Node) -> list[str]:
        """The names of a node's inputs in the integer graph."""
        rule = node.op.rule
        names = list(node.inputs)
        for number, name in enumerate(node.inputs):
            tensor = self.graph.tensors[name]
            if tensor.dtype != "float32" or number in rule.float_inputs:
                self.tensors[name] = tensor
            elif number in rule.weights or number == rule.bias:
                continue
            elif tensor.is_constant:
                names[number] = self.operand(node, tensor)
            elif rule.shared:
                names[number] = self.alike(name, self.quants[node.outputs[0]])
        for number, axis in rule.weights.items():
            self.layer(node, names, number, axis)
        return names

    def alike(self, name: str, quant: Quant) -> str:
        """The tensor in another quantization, by a requantize node if it has not got it."""
        if self.quants[name] == quant:
            return name
        if (name, quant) not in self.stored:
            shown = self.edit.fresh(f"{name}_requantized")
            self.edit.tensors[shown] = self.graph.tensors[name]
            self.tensors[shown] = replace(self.tensors[name], name=shown, quant=quant)
            self.nodes.append(Node(Requantize(), (name,), (shown,)))
            self.stored[name, quant] = shown
        return self.stored[name, quant]

    def operand(self, node: Node, tensor: Tensor) -> str:
        """A constant operand in int8: of the shared quantization, or of its own range."""
        assert tensor.data is not None
        output = node.outputs[0]
        if node.op.rule.shared and output in self.quants:
            quant = self.quants[output]
        else:
            low, high = float(tensor.data.min(initial=0)), float(tensor.data.max(initial=0))
            quant = affine_quant(low, high)
        return self.store(tensor.name, quant.quantize(tensor.data), quant)

    def store(self, wish: str, data: Array, quant: Quant) -> str:
        """Add a constant and return its name."""
        name = self.edit.fresh(f"{wish}_stored")
        self.edit.tensors[name] = self.tensors[name] = constant(name, data, quant)
        return name

    def layer(self, node: Node, names: list[str], number: int, axis: int | None) -> None:
        """Write the weights of a layer, and its bias, in integers."""
        weights, source = self.graph.tensors[node.inputs[number]], self.quants.get(node.inputs[0])
        if weights.data is None or source is None:
            raise QuantizationError(
                node.name,
                f"{node.op.kind} needs constant weights and a real input to be quantized",
            )
        axis = axis if self.recipe.per_channel else None
        chosen = self.chosen.get((node.name, number))
        if chosen is None:
            scales = weight_scales(weights.data, axis, self.recipe.ranges)
        else:
            scales = chosen.scales
        rule = node.op.rule
        bias = None if rule.bias is None else self.graph.tensors[node.inputs[rule.bias]]
        if bias is not None:
            target = self.quants[node.outputs[0]].scale[0]
            scales = bounded_scales(node.name, scales, bias, source.scale[0], target)
        quant = _symmetric(scales, axis, 8)
        steps = quant._along_axis(quant.scale, weights.data.ndim)
        nearest = chosen is None or chosen.stored is None
        if chosen is None or chosen.stored is None:
            stored = np.clip(np.rint(weights.data / steps), -127, 127).astype(np.int8)
        else:
            stored = chosen.stored
        names[number] = self.store(weights.name, stored, quant)
        if bias is not None and rule.bias is not None and bias.data is not None:
            values = bias.data.astype(np.float64)
            if self.recipe.bias_correction and nearest and is_linear(self.edit, node):
                mean = self.statistics[node.inputs[0]].mean
                values = values - expected_shift(node, self.graph.tensors, mean, stored * steps)
            products = source.scale[0] * scales
            limit = 2.0 * LARGEST_BIAS - 1
            rounded = np.clip(np.rint(values / products), -limit, limit).astype(np.int32)
            product = _symmetric(products, None if axis is None else 0, 32)
            names[rule.bias] = self.store(bias.name, rounded, product)


def bounded_scales(place: str, scales: Array, bias: Tensor, source: float, target: float) -> Array:
    """Scales of weights at which the bias and the factor to the output can be expressed.

    With the factor f = source · scale / target: weights that matter less than 2^-30 output steps
    become zeros, and from 2^20 steps on an output is always at one end anyway. The bias must
    stay below 2^30 steps of its own.
    """
    if bias.data is None:
        raise QuantizationError(place, f"needs the constant bias {bias.name!r} to be quantized")
    needed = np.abs(bias.data.astype(np.float64)) / (source * LARGEST_BIAS)
    if len(scales) == 1:
        needed = needed.max(initial=0.0, keepdims=True)
    unit = target / source
    bounded = np.clip(np.maximum(scales, needed), unit * 2.0**-30, unit * 2.0**20)
    return bounded.astype(np.float32).astype(np.float64)


def _symmetric(scales: Array, axis: int | None, bits: int) -> Quant:
    return Quant(tuple(map(float, scales)), (0,) * len(scales), axis, bits)
