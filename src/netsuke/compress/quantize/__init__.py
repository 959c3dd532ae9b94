"""int8 post-training quantization of a float graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.compress.quantize.assign import assign_quants, real_activations
from netsuke.compress.quantize.compare import Comparison, Row, compare
from netsuke.compress.quantize.convert import Chosen, Conversion, Recipe
from netsuke.compress.quantize.equalize import equalize as equalize_layers
from netsuke.compress.quantize.equalize import find_pairs
from netsuke.compress.quantize.ranges import METHODS, Statistics
from netsuke.errors import NetsukeError, QuantizationError, UsageError
from netsuke.ir import Array, Graph, Op, Quant, interpret, verify
from netsuke.ir.interpret import is_integer_node
from netsuke.ir.layout import compose, identity, inverse
from netsuke.passes import optimize

__all__ = [
    "Chosen",
    "Comparison",
    "Prepared",
    "Row",
    "Statistics",
    "calibrate",
    "compare",
    "prepare",
    "quantize",
]


def quantize(
    graph: Graph,
    samples: Array | Sequence[Array],
    ranges: str = "mse",
    per_channel: bool = True,
    equalize: bool = True,
    bias_correction: bool = True,
    percentile: float = 99.99,
    progress: Callable[[int, int], None] | None = None,
) -> Graph:
    """Quantize a float graph to int8: activations affine, weights symmetric, biases int32.

    Parameters
    ----------
    graph
        A float graph.
    samples
        Calibration samples ``(n, *shape)``, in the form in which the graph stores its input; a
        sequence of arrays when there are several inputs.
    ranges
        How ranges are chosen: ``"mse"`` (least mean squared error), ``"minmax"`` or
        ``"percentile"``.
    per_channel
        One scale of the weights an output channel, not one a layer.
    equalize
        Balance weights between consecutive layers first (`equalize`).
    bias_correction
        Make up for the mean error of rounded weights in the biases (`bias_correction`).
    percentile
        Share of values, in percent, that ``"percentile"`` keeps at either end.
    progress
        Called with (samples done, samples) during calibration.

    Returns
    -------
    Graph
        A pure integer graph. Its inputs and outputs are int8; their `Port` says that people see
        float32, and the quantization of the tensor stands between.

    Raises
    ------
    QuantizationError
        Naming the node that has no integer meaning, or a tensor that is not finite.
    UsageError
        When the samples do not match the inputs.
    """
    prepared = prepare(
        graph, samples, ranges, per_channel, equalize, bias_correction, percentile, progress
    )
    return prepared.finish(prepared.convert())


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A float graph that is ready to become integers, and the quantization found for it.

    Attributes
    ----------
    graph
        Float, optimized and equalized.
    arrays
        The calibration samples, an array an input, as `graph` stores them.
    quants
        Of every float activation.
    statistics
        Of every float activation, over the samples.
    recipe
        How weights become integers.
    """

    graph: Graph
    arrays: tuple[Array, ...]
    quants: Mapping[str, Quant]
    statistics: Mapping[str, Statistics]
    recipe: Recipe

    def convert(self, chosen: Mapping[tuple[str, int], Chosen] | None = None) -> Graph:
        """The graph in integers, node by node under the names of the float graph.

        Parameters
        ----------
        chosen
            (node, input) -> the integers of its weights, where others than the nearest are wished.
        """
        conversion = Conversion(self.graph, self.quants, self.statistics, self.recipe, chosen)
        return conversion.build()

    def finish(self, converted: Graph) -> Graph:
        """What `convert` made, verified, optimized and tried out."""
        integers = optimize(verify(converted))
        _try_out(integers, [array[0] for array in self.arrays])
        return integers


def prepare(
    graph: Graph,
    samples: Array | Sequence[Array],
    ranges: str = "mse",
    per_channel: bool = True,
    equalize: bool = True,
    bias_correction: bool = True,
    percentile: float = 99.99,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Do all of `quantize` but the writing of integers; parameters and errors are the same."""
    if ranges not in METHODS:
        raise UsageError(f"ranges {ranges!r} is unknown; known are {', '.join(METHODS)}")
    if not 50.0 < percentile <= 100.0:
        raise UsageError(f"percentile {percentile} is not between 50 and 100")
    _require_float(graph)
    arrays = _as_arrays(graph, samples)
    better = optimize(graph)
    arrays = [
        _restored(graph, better, name, array)
        for name, array in zip(graph.inputs, arrays, strict=True)
    ]
    if equalize:
        better = verify(equalize_layers(better, channel_reach(better, arrays)))
    statistics = calibrate(better, arrays, progress)
    quants = assign_quants(better, statistics, ranges, percentile)
    recipe = Recipe(ranges, per_channel, bias_correction)
    _require_integer_meaning(better)
    return Prepared(better, tuple(arrays), quants, statistics, recipe)


def calibrate(
    graph: Graph,
    arrays: Sequence[Array],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Statistics]:
    """Statistics of every float activation over the samples, ``(n, *shape)`` an input."""
    statistics = {
        name: Statistics()
        for name, tensor in graph.tensors.items()
        if not tensor.is_constant and tensor.dtype == "float32"
    }

    def observe(name: str, value: Array) -> None:
        if name in statistics:
            statistics[name].observe(name, value)

    count = len(arrays[0]) if arrays else 0
    for number, sample in enumerate(zip(*arrays, strict=True)):
        interpret(graph, dict(zip(graph.inputs, sample, strict=True)), observe)
        if progress:
            progress(number + 1, count)
    return statistics


def channel_reach(graph: Graph, arrays: Sequence[Array]) -> dict[str, Array]:
    """The largest magnitude in each channel (last axis) between layers that can be equalized."""
    reach = {
        pair.first: np.zeros(graph.tensors[pair.first].shape[-1:]) for pair in find_pairs(graph)
    }

    def observe(name: str, value: Array) -> None:
        if name in reach:
            rows = np.abs(value.reshape(-1, value.shape[-1])).max(axis=0)
            reach[name] = np.maximum(reach[name], rows)

    for sample in zip(*arrays, strict=True) if reach else ():
        interpret(graph, dict(zip(graph.inputs, sample, strict=True)), observe)
    return reach


def _as_arrays(graph: Graph, samples: Array | Sequence[Array]) -> list[Array]:
    """One array an input, checked."""
    given = [samples] if isinstance(samples, np.ndarray) else list(samples)
    if len(given) != len(graph.inputs):
        raise UsageError(
            f"{graph.name} takes {len(graph.inputs)} input(s), but samples for {len(given)} are "
            "given; pass one array (n, *shape) an input"
        )
    arrays = []
    for name, values in zip(graph.inputs, given, strict=True):
        tensor, array = graph.tensors[name], np.asarray(values)
        if array.ndim != len(tensor.shape) + 1 or array.shape[1:] != tensor.shape:
            raise UsageError(
                f"samples for input {name!r} are {list(array.shape)}, the graph takes "
                f"[n, {', '.join(map(str, tensor.shape))}]"
            )
        if not len(array) or len(array) != len(given[0]):
            raise UsageError(
                f"{len(array)} samples for input {name!r}, {len(given[0])} for the first; "
                "calibration needs at least one, and equally many an input"
            )
        if array.dtype.kind not in "biuf":
            raise UsageError(f"samples for input {name!r} are {array.dtype}, which are no numbers")
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        if bad.size:
            raise QuantizationError(name, f"sample {bad[0]} holds a value that is not finite")
        with np.errstate(over="ignore"):
            stored = np.ascontiguousarray(array, tensor.dtype)
        if tensor.dtype != "float32" and not np.array_equal(stored, array):
            raise UsageError(f"samples for input {name!r} hold values beyond {tensor.dtype}")
        arrays.append(stored)
    return arrays


def _require_float(graph: Graph) -> None:
    for tensor in graph.tensors.values():
        if tensor.quant is not None:
            raise QuantizationError(tensor.name, "is quantized already; give the float model")


def _restored(before: Graph, after: Graph, name: str, array: Array) -> Array:
    """Samples in the order of axes in which the input is stored now."""
    rank = len(before.tensors[name].shape)
    old = before.ports[name].axes if name in before.ports else identity(rank)
    new = after.ports[name].axes if name in after.ports else identity(rank)
    axes = compose(inverse(old), new)
    return np.ascontiguousarray(array.transpose(0, *(axis + 1 for axis in axes)))


def _require_integer_meaning(graph: Graph) -> None:
    for node in graph.nodes:
        if real_activations(graph, node) and type(node.op).quantized is Op.quantized:
            raise QuantizationError(
                node.name,
                f"{node.op.kind} has no integer meaning, so the model cannot become pure int8; "
                "keep it float, or replace this layer",
            )


def _try_out(graph: Graph, sample: Sequence[Array]) -> None:
    """Run one sample, so that what cannot be computed in integers is found here and named."""
    values = {tensor.name: tensor.data for tensor in graph.constants()}
    for name, real in zip(graph.inputs, sample, strict=True):
        quant = graph.tensors[name].quant
        values[name] = real if quant is None else quant.quantize(real)
    for node in graph.nodes:
        inputs, outputs = graph.in_of(node), graph.out_of(node)
        activations = [t for t in (*inputs, *outputs) if not t.is_constant]
        floats = [tensor.name for tensor in activations if tensor.dtype == "float32"]
        if floats:
            raise QuantizationError(node.name, f"{floats[0]!r} is still float32")
        arrays = [np.asarray(values[name]) for name in node.inputs]
        try:
            if is_integer_node(graph, node):
                results = node.op.quantized(inputs, outputs, *arrays)
            else:
                results = node.op.reference(*arrays)
        except NetsukeError as error:
            raise QuantizationError(node.name, f"{node.op.kind}: {error}") from error
        values.update(zip(node.outputs, results, strict=True))
