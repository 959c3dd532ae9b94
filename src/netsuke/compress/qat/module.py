"""A float graph that computes what its int8 twin computes, differentiably."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from netsuke.compress.qat.steps import quantized, replaced, rounded, step_size
from netsuke.compress.quantize import Prepared
from netsuke.compress.quantize.assign import share_groups
from netsuke.compress.quantize.convert import Chosen
from netsuke.errors import GraphError
from netsuke.ir import Array, Graph, Node, Quant, Tensor, constant, verify
from netsuke.train import GraphModule, scores_graph
from netsuke.train.integers import Integers


class QuantizedModule(torch.nn.Module):
    """Scores of a graph whose weights and activations are on the grid of their integers.

    In training it simulates the integers in float32: what differs are sums close to the middle
    between two integers. When it is evaluated, and while `exact` is set, every activation has
    exactly the value that the exported graph's integers stand for, and only the gradients are
    those of the simulation.

    Parameters
    ----------
    prepared
        The float graph, and the quantization that training starts from.

    Attributes
    ----------
    graph
        The float graph up to its scores.
    exact
        Whether training computes on the integers, too.
    """

    def __init__(self, prepared: Prepared, exact_from: int = 1 << 30) -> None:
        super().__init__()
        self.prepared = prepared
        self.graph = scores_graph(prepared.graph)
        self.exact, self.exact_from = False, exact_from
        raw = prepared.convert()
        self.layers = _layers(prepared.graph, raw)
        self.inner = GraphModule(_with_stored_biases(prepared.graph, raw))
        self.keys = _learned_groups(prepared)
        self.bases: dict[str, Any] = {}
        self.ratios = torch.nn.ParameterDict()
        for name, key in self.keys.items():
            self._add(key, np.array(prepared.quants[name].scale[0]))
        for (node, number), (quant, _) in self.layers.items():
            self._add(f"weights {number} of {node}", np.array(quant.scale))
        self._set_paces()
        self.operands = _operands(prepared.graph, raw)

    def _set_paces(self) -> None:
        """Weights move in proportion to their size: 1 for those as large as He et al. draw them.

        Folded layers have weights of any size (those of a first layer on bytes are around 1/255),
        and a step of Adam that is right for one would wipe out another.
        """
        for (node, number), (quant, _) in self.layers.items():
            name = next(n for n in self.prepared.graph.nodes if n.name == node).inputs[number]
            parameter = self.inner.values()[name]
            if isinstance(parameter, torch.nn.Parameter) and parameter.ndim > 1:
                units = 1 if quant.axis is None else parameter.shape[quant.axis]
                fan = parameter.numel() / units
                size = float(parameter.detach().square().mean().sqrt()) * (fan / 2.0) ** 0.5
                parameter.pace = max(size, 1e-6)  # type: ignore[attr-defined]

    def _add(self, key: str, scale: Array) -> None:
        if key not in self.bases:
            self.bases[key] = torch.from_numpy(np.array(scale, np.float32))
            slot = f"ratio{len(self.ratios)}"
            self.ratios[slot] = torch.nn.Parameter(torch.ones_like(self.bases[key]))
            self._slots = {**getattr(self, "_slots", {}), key: slot}

    def _ratio(self, key: str) -> Any:
        return self.ratios[self._slots[key]]

    def values(self) -> dict[str, Any]:
        """All learned tensors; steps under names that no tensor of the graph has."""
        steps = {f"\0{key}": self._ratio(key) for key in self.bases}
        return {**self.inner.values(), **steps}

    def begin_epoch(self, number: int) -> None:
        """Compute on the integers from the epoch on that was asked for."""
        self.exact = number >= self.exact_from

    def forward(self, x: Any) -> Any:
        """Scores of inputs ``(n, *shape)``."""
        return self.activations(x, self.graph)[self.graph.outputs[0]]

    def activations(self, x: Any, graph: Graph | None = None) -> dict[str, Any]:
        """Every activation of a batch up to the graph's outputs, by name."""
        graph = graph or self.prepared.graph
        raw, integers = None, {}
        if self.exact or not self.training:
            raw = self.integer_graph()
            integers = _real_values(raw, x)
        raw_nodes = {} if raw is None else {node.name: node for node in raw.nodes}
        constants = self.inner.values()
        values: dict[str, Any] = {}
        self._keep(values, graph.inputs[0], x, integers)
        for node in graph.nodes:
            tensors = self.prepared.graph.in_of(node)
            arguments = [
                self._argument(node, number, tensor, values, constants, raw_nodes, integers)
                for number, tensor in enumerate(tensors)
            ]
            results = node.op.lower(torch, tensors, *arguments)
            for name, result in zip(node.outputs, results, strict=True):
                self._keep(values, name, result, integers)
        return values

    def _keep(
        self, values: dict[str, Any], name: str, value: Any, integers: Mapping[str, Any]
    ) -> None:
        """Quantize an activation, and give it its exact value where that is known."""
        value = self._quantized(value, name)
        if name in integers:
            value = replaced(value, integers[name])
        values[name] = value

    def _quantized(self, value: Any, name: str) -> Any:
        """A value on the grid of a tensor; tensors without one stay as they are."""
        quant = self.prepared.quants.get(name)
        if quant is None:
            return value
        key = self.keys.get(name)
        ratio = torch.ones(()) if key is None else self._ratio(key)
        base = torch.tensor(quant.scale[0], dtype=torch.float32) if key is None else self.bases[key]
        return quantized(value, ratio, base, quant.zero_point[0], None, quant.range)

    def _argument(
        self,
        node: Node,
        number: int,
        tensor: Tensor,
        values: Mapping[str, Any],
        constants: Mapping[str, Any],
        raw_nodes: Mapping[str, Node],
        integers: Mapping[str, Any],
    ) -> Any:
        """An input of a node as its integers have it."""
        name, rule = tensor.name, node.op.rule
        if not tensor.is_constant:
            value = values[name]
            quants = self.prepared.quants
            if rule.shared and name in quants and quants[name] != quants.get(node.outputs[0]):
                value = self._quantized(value, node.outputs[0])
                if raw_nodes:
                    value = replaced(value, integers[raw_nodes[node.name].inputs[number]])
            return value
        if (node.name, number) in self.layers:
            return self._weights(node, number, constants[name])
        if number == rule.bias:
            return self._bias(node, constants[name])
        return self.operands.get((node.name, number), constants[name])

    def _weights(self, node: Node, number: int, value: Any) -> Any:
        quant, _ = self.layers[node.name, number]
        key = f"weights {number} of {node.name}"
        return quantized(value, self._ratio(key), self.bases[key], 0, quant.axis, (-127, 127))

    def _bias(self, node: Node, value: Any) -> Any:
        steps = [
            self.weight_steps(node.name, number)
            for number in node.op.rule.weights
            if (node.name, number) in self.layers
        ]
        return rounded(value, steps[0] * self._step(node.inputs[0])) if len(steps) == 1 else value

    def weight_steps(self, node: str, number: int) -> Any:
        """The steps of a layer's weights now."""
        key = f"weights {number} of {node}"
        return step_size(self.bases[key], self._ratio(key))

    def _step(self, name: str) -> Any:
        key = self.keys.get(name)
        if key is None:
            return torch.tensor(self.prepared.quants[name].scale[0], dtype=torch.float32)
        return step_size(self.bases[key], self._ratio(key))

    def integer_graph(self) -> Graph:
        """The graph in integers as training has made it so far, node by node."""
        found = self.inner.values()
        tensors = dict(self.prepared.graph.tensors)
        for name, value in found.items():
            if tensors[name].dtype == "float32":
                array = value.detach().numpy()
                if not np.isfinite(array).all():
                    raise GraphError(name, "is not finite after training; try a smaller --lr")
                tensors[name] = constant(name, array)
        quants = {
            name: replace(quant, scale=(float(self._step(name)),))
            for name, quant in self.prepared.quants.items()
        }
        chosen = {
            place: Chosen(self.weight_steps(*place).numpy().astype(np.float64).reshape(-1))
            for place in self.layers
        }
        recipe = replace(self.prepared.recipe, bias_correction=False)
        now = replace(
            self.prepared,
            graph=replace(self.prepared.graph, tensors=tensors),
            quants=quants,
            recipe=recipe,
        )
        return now.convert(chosen)

    def export(self) -> Graph:
        """The integer graph that ships."""
        return self.prepared.finish(self.integer_graph())


def _real_values(raw: Graph, x: Any) -> dict[str, Any]:
    """What the integers of every activation stand for, on a batch of real inputs."""
    source = raw.tensors[raw.inputs[0]]
    stored = x.detach().numpy()
    if source.quant is not None:
        stored = source.quant.quantize(stored)
    found = {}
    for name, value in Integers(raw).values(stored).items():
        quant = raw.tensors[name].quant
        if quant is not None:
            found[name] = torch.from_numpy(quant.dequantize(value))
    return found


def _layers(graph: Graph, raw: Graph) -> dict[tuple[str, int], tuple[Quant, str]]:
    """(node, input) -> quantization and name of the stored weights."""
    nodes = {node.name: node for node in raw.nodes}
    found = {}
    for node in graph.nodes:
        for number in node.op.rule.weights:
            stored = raw.tensors[nodes[node.name].inputs[number]]
            if stored.quant is not None:
                found[node.name, number] = stored.quant, stored.name
    return found


def _with_stored_biases(graph: Graph, raw: Graph) -> Graph:
    """The float graph with the biases that calibration has corrected."""
    nodes, tensors = {node.name: node for node in raw.nodes}, dict(graph.tensors)
    for node in graph.nodes:
        if node.op.rule.bias is None:
            continue
        stored = raw.tensors[nodes[node.name].inputs[node.op.rule.bias]]
        if stored.quant is not None and stored.data is not None:
            name = node.inputs[node.op.rule.bias]
            tensors[name] = constant(name, stored.quant.dequantize(stored.data))
    return verify(replace(graph, tensors=tensors))


def _learned_groups(prepared: Prepared) -> dict[str, str]:
    """Tensor -> the name of its step, for all whose step is learned.

    Those of the inputs stay, since the world outside knows them, and those that operators fix.
    """
    graph = prepared.graph
    groups = share_groups(graph)
    fixed = {quant for node in graph.nodes for quant in node.op.rule.fixed.values()}
    held = {groups[name] for name in graph.inputs if name in groups}
    return {
        name: f"step of {group}"
        for name, group in groups.items()
        if name in prepared.quants and prepared.quants[name] not in fixed and group not in held
    }


def _operands(graph: Graph, raw: Graph) -> dict[tuple[str, int], Any]:
    """(node, input) -> the values that a constant operand, which is not learned, stands for."""
    nodes = {node.name: node for node in raw.nodes}
    found = {}
    for node in graph.nodes:
        for number, tensor in enumerate(graph.in_of(node)):
            stored = raw.tensors[nodes[node.name].inputs[number]]
            special = number in node.op.rule.weights or number == node.op.rule.bias
            if tensor.is_constant and not special and stored.quant is not None:
                assert stored.data is not None
                found[node.name, number] = torch.from_numpy(stored.quant.dequantize(stored.data))
    return found
