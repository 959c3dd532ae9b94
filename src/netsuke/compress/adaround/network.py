"""A network whose layers are rounded one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from netsuke.compress.adaround.rounding import BATCH, Layer, round_layer
from netsuke.compress.quantize import Chosen, Prepared, prepare
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, Node
from netsuke.passes.edit import Edit
from netsuke.passes.linear import is_linear
from netsuke.train import kept_memory, to_module
from netsuke.train.integers import Integers
from netsuke.train.loop import fixed_threads

Places = Mapping[tuple[str, int], Chosen]


def adaround(
    graph: Graph,
    samples: Array | Sequence[Array],
    *,
    steps: int = 500,
    seed: int = 0,
    threads: int = 1,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Graph:
    """Quantize a float graph to int8, each weight rounded so that its layer's output stays.

    Layers are rounded in order, each on the inputs that the layers before it, rounded already,
    give it. A layer where rounding to the nearest, with its bias corrected, is as good on the
    samples keeps that.

    Parameters
    ----------
    graph
        A float graph with one input.
    samples
        A few hundred calibration samples ``(n, *shape)``, as the graph stores its input.
    steps
        Of the optimizer, a layer.
    seed
        Of the choice of samples a step.
    threads
        Of PyTorch; another number may add up in another order.
    deadline
        ``time.monotonic()`` after which what is not learned yet is rounded to the nearest.
    progress
        Called with (layers done, layers).
    options
        The other parameters of `netsuke.compress.quantize.quantize`.

    Raises
    ------
    UsageError
        When there is not exactly one input, or no steps.
    QuantizationError
        As for `netsuke.compress.quantize.quantize`.
    """
    if len(graph.inputs) != 1:
        raise UsageError(f"{graph.name} has {len(graph.inputs)} inputs; adaround serves one")
    if steps < 1:
        raise UsageError(f"{steps} steps round nothing; try 500")
    if seed < 0 or threads < 1:
        raise UsageError(f"seed {seed} and threads {threads} must be at least 0 and 1")
    prepared = prepare(graph, samples, **options)
    with fixed_threads(threads), kept_memory():
        chosen = _round_layers(prepared, steps, seed, deadline, progress)
    return prepared.finish(prepared.convert(chosen))


def _round_layers(
    prepared: Prepared,
    steps: int,
    seed: int,
    deadline: float | None,
    progress: Callable[[int, int], None] | None,
) -> Places:
    edit = Edit(prepared.graph)
    nodes = [n for n in prepared.graph.nodes if is_linear(edit, n) and len(n.inputs) == 3]
    chosen = _scales(prepared, nodes)
    for number, node in enumerate(nodes):
        if deadline is not None and time.monotonic() > deadline:
            break
        layer = _layer(prepared, node, prepared.convert(chosen))
        stored = round_layer(layer, steps, seed + number, deadline)
        place = node.name, layer.places[0]
        chosen[place] = replace(chosen[place], stored=stored)
        if progress is not None:
            progress(number + 1, len(nodes))
    return chosen


def _scales(prepared: Prepared, nodes: Sequence[Node]) -> dict[tuple[str, int], Chosen]:
    """The grids that rounding to the nearest has, which are found only once."""
    raw = prepared.convert()
    twins = {node.name: node for node in raw.nodes}
    found = {}
    for node in nodes:
        (number,) = node.op.rule.weights
        quant = raw.tensors[twins[node.name].inputs[number]].quant
        assert quant is not None
        found[node.name, number] = Chosen(np.array(quant.scale))
    return found


def _layer(prepared: Prepared, node: Node, raw: Graph) -> Layer:
    """What a layer is given in the integers so far, and what it is to yield."""
    graph, samples = prepared.graph, prepared.arrays[0]
    (number,) = node.op.rule.weights
    assert node.op.rule.bias is not None
    twin = next(n for n in raw.nodes if n.name == node.name)
    weights, bias = (graph.tensors[node.inputs[i]].data for i in (number, node.op.rule.bias))
    nearest = [raw.tensors[twin.inputs[i]] for i in (number, node.op.rule.bias)]
    real = [t.quant.dequantize(t.data) for t in nearest if t.quant and t.data is not None]
    quant = nearest[0].quant
    assert weights is not None and bias is not None and quant is not None
    steps = np.broadcast_to(quant._along_axis(quant.scale, weights.ndim), weights.shape)
    return Layer(
        node,
        graph.in_of(node),
        weights,
        np.array(bias),
        steps.astype(np.float64),
        (real[0], real[1]),
        _quantized_input(raw, twin, samples),
        _float_output(graph, node, samples),
    )


def _float_output(graph: Graph, node: Node, samples: Array) -> Array:
    """What the float network's layer yields on the samples."""
    until = graph.nodes.index(node) + 1
    module = to_module(replace(graph, nodes=graph.nodes[:until], outputs=(node.name,))).eval()
    with torch.inference_mode():
        parts = [module(torch.from_numpy(part)).numpy() for part in _batches(samples)]
    return np.concatenate(parts)


def _quantized_input(raw: Graph, node: Node, samples: Array) -> Array:
    """Real inputs of a layer in the network rounded so far."""
    name, source = node.inputs[0], raw.tensors[raw.inputs[0]].quant
    quant = raw.tensors[name].quant
    assert quant is not None
    runner = Integers(replace(raw, nodes=raw.nodes[: raw.nodes.index(node)]))
    stored = samples if source is None else source.quantize(samples)
    return np.concatenate([quant.dequantize(runner.values(s)[name]) for s in _batches(stored)])


def _batches(samples: Array) -> list[Array]:
    return [samples[start : start + BATCH] for start in range(0, len(samples), BATCH)]
