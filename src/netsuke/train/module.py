"""A graph as a PyTorch module, and its weights back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from netsuke.errors import GraphError, UsageError
from netsuke.ir import Graph, Node, Tensor, constant, verify
from netsuke.ops import LogSoftmax, Sigmoid, Softmax


class GraphModule(torch.nn.Module):
    """Computes a float graph on a batch: inputs ``(n, *shape)``, channels last.

    Float constants are parameters, except those that operators measure on batches (batch-norm's
    mean and variance): these are buffers, moved while training by
    ``buffer += momentum · (batch's value - buffer)``. Single numbers outside of layers belong to
    a formula (the 1/6 of a hard sigmoid) and stay.

    Attributes
    ----------
    graph
        What is computed; its own constants stay as they were.
    momentum
        Of the measured constants.
    """

    def __init__(self, graph: Graph, momentum: float = 0.1) -> None:
        super().__init__()
        self.graph = graph
        self.momentum = momentum
        measured = {node.inputs[index] for node in graph.nodes for index in node.op.measured}
        layers = {
            name
            for node in graph.nodes
            if node.op.rule.weights or node.op.measured
            for name in node.inputs
        }
        self._last = _last_reads(graph)
        self.slots: dict[str, str] = {}
        for number, tensor in enumerate(graph.constants()):
            value = torch.from_numpy(np.array(tensor.data))
            slot = f"constant{number}"  # tensor names may hold dots, which PyTorch forbids
            learned = tensor.elements > 1 or tensor.name in layers
            if tensor.dtype == "float32" and learned and tensor.name not in measured:
                self.register_parameter(slot, torch.nn.Parameter(value))
            else:
                self.register_buffer(slot, value)
            self.slots[tensor.name] = slot

    def values(self) -> dict[str, Any]:
        """The PyTorch tensor of every constant, by its name in the graph."""
        return {name: getattr(self, slot) for name, slot in self.slots.items()}

    def forward(self, *inputs: Any) -> Any:
        """Outputs in the graph's order; one output comes bare."""
        values = {**self.values(), **dict(zip(self.graph.inputs, inputs, strict=True))}
        self.compute(self.graph.nodes, values)
        outputs = tuple(values[name] for name in self.graph.outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def compute(self, nodes: Sequence[Node], values: dict[str, Any], measure: bool = True) -> None:
        """Compute some nodes; values that no later one of the graph reads are let go.

        Parameters
        ----------
        nodes
            In order.
        values
            Constants and activations by name; results are put in.
        measure
            Whether measured constants are moved while training; not when it is a second time.
        """
        for node in nodes:
            tensors = self.graph.in_of(node)
            arguments = [values[name] for name in node.inputs]
            if self.training and node.op.measured:
                results, found = node.op.lower_training(torch, tensors, *arguments)
                if measure:
                    self._measure([node.inputs[index] for index in node.op.measured], found)
            else:
                results = node.op.lower(torch, tensors, *arguments)
            values.update(zip(node.outputs, results, strict=True))
            del arguments, results  # or they would keep alive what is let go now
            for name in self._last[node.name]:
                values.pop(name, None)

    def _measure(self, names: list[str], found: tuple[Any, ...]) -> None:
        with torch.no_grad():
            for name, value in zip(names, found, strict=True):
                getattr(self, self.slots[name]).lerp_(value, self.momentum)


def _last_reads(graph: Graph) -> dict[str, list[str]]:
    """Node -> activations that no later node reads, so that an evaluation needs no more memory."""
    last: dict[str, str] = {}
    for node in graph.nodes:
        last |= dict.fromkeys((*node.inputs, *node.outputs), node.name)
    kept = {*graph.outputs, *(tensor.name for tensor in graph.constants())}
    found: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    for name, reader in last.items():
        if name not in kept:
            found[reader].append(name)
    return found


def to_module(graph: Graph) -> GraphModule:
    """Return a PyTorch module that computes a float graph differentiably.

    Raises
    ------
    UsageError
        When the graph holds integers.
    GraphError
        When an operator has no PyTorch lowering.
    """
    for tensor in graph.tensors.values():
        if tensor.quant is not None:
            raise UsageError(
                f"{graph.name} is quantized ({tensor.name!r} is {tensor.dtype}); training needs "
                "the float model it was made from"
            )
    return GraphModule(graph)


def from_module(graph: Graph, module: GraphModule) -> Graph:
    """Return the graph with the constants that a module of it holds now.

    The graph may have nodes that the module's has not (a softmax left out for training).

    Raises
    ------
    GraphError
        When training has made a value that is not finite.
    """
    found: Mapping[str, Any] = module.values()
    tensors: dict[str, Tensor] = dict(graph.tensors)
    for name, value in found.items():
        if name in tensors and tensors[name].dtype == "float32":
            array = value.detach().cpu().numpy()
            if not np.isfinite(array).all():
                raise GraphError(name, "is not finite after training; try a smaller --lr")
            tensors[name] = constant(name, array)
    return verify(replace(graph, tensors=tensors))


def layer_weights(graph: Graph) -> dict[str, Node]:
    """The float constants that are weights of layers (biases are not), and the nodes they serve."""
    return {
        node.inputs[index]: node
        for node in graph.nodes
        for index in node.op.rule.weights
        if graph.tensors[node.inputs[index]].is_constant
    }


def scores_graph(graph: Graph) -> Graph:
    """The graph without a softmax or sigmoid at its end, with its first output only."""
    output = graph.outputs[0]
    producers = graph.producers()
    while output in producers and isinstance(producers[output].op, Softmax | LogSoftmax | Sigmoid):
        output = producers[output].inputs[0]
    live, kept = {output}, []
    for node in reversed(graph.nodes):
        if live.intersection(node.outputs):
            live.update(node.inputs)
            kept.append(node)
    needed = live.union(graph.inputs, *(node.outputs for node in kept))
    return verify(
        replace(
            graph,
            outputs=(output,),
            nodes=tuple(reversed(kept)),
            tensors={name: graph.tensors[name] for name in graph.tensors if name in needed},
            ports={},
        )
    )
