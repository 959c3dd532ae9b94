"""A float graph and its integer twin, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.compress.quantize.equalize import find_pairs
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, interpret
from netsuke.ir.layout import compose, identity, inverse
from netsuke.passes import optimize


@dataclass(frozen=True, slots=True)
class Row:
    """How well one tensor survives.

    Attributes
    ----------
    sqnr
        Signal to quantization noise, 10 · log10(Σ x² / Σ (x - x̂)²), in dB; infinite when equal.
    rescaled
        Whether equalization may have rescaled its channels; then each channel is compared after
        scaling it by least squares.
    """

    tensor: str
    kind: str
    sqnr: float
    rescaled: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows in the order of computation, and the outputs of the graph.

    Attributes
    ----------
    rows
        Tensors that both graphs have.
    outputs
        Output -> SQNR in dB, end to end.
    agreement
        Output -> share of samples with the same largest element.
    """

    rows: tuple[Row, ...]
    outputs: dict[str, float]
    agreement: dict[str, float]

    def __str__(self) -> str:
        names = [_shortened(row.tensor) for row in self.rows]
        width = max([len(name) for name in names] + [6])
        lines = [f"{'tensor':{width}}  {'operator':18}  SQNR (dB)"]
        for name, row in zip(names, self.rows, strict=True):
            note = "  rescaled" if row.rescaled else ""
            lines.append(f"{name:{width}}  {row.kind:18}  {row.sqnr:9.2f}{note}")
        for name, value in self.outputs.items():
            share = self.agreement[name]
            lines.append(f"output {name}: {value:.2f} dB, same largest element {share:.1%}")
        return "\n".join(lines)


def _shortened(name: str, width: int = 48) -> str:
    """A name that leaves room for the rest of its line."""
    return name if len(name) <= width else f"{name[: width - 1]}…"


def compare(float_graph: Graph, int_graph: Graph, samples: Array | Sequence[Array]) -> Comparison:
    """Run both graphs on real samples and measure the noise that integers add to each tensor.

    Parameters
    ----------
    float_graph
        The graph that was quantized; it is optimized first, as `quantize` does.
    int_graph
        What `quantize` made of it.
    samples
        ``(n, *shape)`` in the float graph's stored form; a sequence for several inputs.
    """
    given = [samples] if isinstance(samples, np.ndarray) else list(samples)
    arrays = [
        np.asarray(array, float_graph.tensors[name].dtype)
        for name, array in zip(float_graph.inputs, given, strict=False)
    ]
    if len(given) != len(float_graph.inputs) or not len(arrays[0]):
        raise UsageError(f"compare needs samples for {len(float_graph.inputs)} input(s)")
    better = optimize(float_graph)
    rescaled = {name for pair in find_pairs(better) for name in pair.tensors}
    kinds = {name: node.op.kind for node in better.nodes for name in node.outputs}
    sums: dict[str, _Sums] = {}
    for sample in zip(*arrays, strict=True):
        reals = _run(float_graph, better, sample)
        stored = _run(float_graph, int_graph, sample)
        for name in kinds:
            if name in stored and stored[name].shape == reals[name].shape:
                sums.setdefault(name, _Sums()).add(reals[name], stored[name])
    rows = tuple(
        Row(name, kinds[name], total.sqnr(name in rescaled), name in rescaled)
        for name, total in sums.items()
    )
    outputs = [name for name in better.outputs if name in sums]
    return Comparison(
        rows,
        {name: sums[name].sqnr(False) for name in outputs},
        {name: sums[name].same / sums[name].count for name in outputs},
    )


def _run(shown: Graph, graph: Graph, sample: Sequence[Array]) -> dict[str, Array]:
    """Every activation of one sample as real numbers, channels as `graph` stores them."""
    values: dict[str, Array] = {}
    feeds = {}
    for name, value in zip(graph.inputs, sample, strict=True):
        rank, tensor = value.ndim, graph.tensors[name]
        old = shown.ports[name].axes if name in shown.ports else identity(rank)
        new = graph.ports[name].axes if name in graph.ports else identity(rank)
        moved = value.transpose(compose(inverse(old), new))
        feeds[name] = moved if tensor.quant is None else tensor.quant.quantize(moved)

    def observe(name: str, value: Array) -> None:
        quant = graph.tensors[name].quant
        values[name] = value if quant is None else quant.dequantize(value)

    interpret(graph, feeds, observe)
    return values


class _Sums:
    """Per channel, over samples: Σ x², Σ x̂², Σ x·x̂."""

    def __init__(self) -> None:
        self.real = self.stored = self.both = np.zeros(1)
        self.same = self.count = 0

    def add(self, real: Array, stored: Array) -> None:
        channels = real.shape[-1] if real.ndim else 1
        x = real.reshape(-1, channels).astype(np.float64)
        y = stored.reshape(-1, channels).astype(np.float64)
        self.real = self.real + (x * x).sum(axis=0)
        self.stored = self.stored + (y * y).sum(axis=0)
        self.both = self.both + (x * y).sum(axis=0)
        self.count += 1
        self.same += int(x.argmax() == y.argmax())

    def sqnr(self, rescaled: bool) -> float:
        factor = np.ones_like(self.both)
        if rescaled:
            factor = np.where(self.stored > 0.0, self.both / np.maximum(self.stored, 1e-300), 1.0)
        noise = (self.real - 2.0 * factor * self.both + factor**2 * self.stored).sum()
        signal = self.real.sum()
        if noise <= 1e-12 * signal or noise <= 0.0:
            return math.inf
        return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf
