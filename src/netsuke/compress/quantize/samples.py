"""Samples that calibrate a graph, from whatever a person has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netsuke.data import Dataset, load_data
from netsuke.data.readers.npz import named_arrays
from netsuke.data.stored import misfit, stored_inputs
from netsuke.errors import DataError, UsageError
from netsuke.ir import Array, Graph
from netsuke.ir.layout import identity


def calibration_samples(
    graph: Graph, source: str | Path | Dataset | Array | Sequence[Array], count: int
) -> list[Array]:
    """At most `count` samples ``(n, *shape)`` for each input of a graph, as it stores them.

    Parameters
    ----------
    graph
        A graph with one input or several.
    source
        A data set or its name; an ``.npz`` whose keys are the names of the inputs, in the layout
        of the model file (or the graph's); or arrays in the graph's own form.
    count
        How many samples.

    Raises
    ------
    UsageError
        When `count` is no number of samples, or one data set is to serve several inputs.
    DataError
        When shapes do not match.
    """
    if count < 1:
        raise UsageError(f"{count} samples calibrate nothing; try 256")
    if isinstance(source, np.ndarray):
        return [source[:count]]
    if isinstance(source, list | tuple):
        return [np.asarray(array)[:count] for array in source]
    if isinstance(source, str | Path):
        named = named_arrays(Path(source), graph.inputs)
        if named is not None:
            arrays = zip(graph.inputs, named, strict=True)
            return [_stored(graph, name, array[:count]) for name, array in arrays]
    if len(graph.inputs) != 1:
        names = ", ".join(graph.inputs)
        raise UsageError(
            f"{graph.name} has {len(graph.inputs)} inputs; calibrate it with an .npz of one array "
            f"(n, …) for each, whose keys are their names: {names}"
        )
    data = source if isinstance(source, Dataset) else load_data(str(source))
    problem = misfit(graph, data)
    if problem is not None:
        raise DataError(data.name, problem)
    return [stored_inputs(graph, data.train.take(count).samples)]


def _stored(graph: Graph, name: str, array: Array) -> Array:
    """An array as the model file shows it, or as the graph stores it; the file's order is meant."""
    tensor = graph.tensors[name]
    axes = graph.ports[name].axes if name in graph.ports else identity(len(tensor.shape))
    if array.ndim != len(tensor.shape) + 1 or array.dtype.kind not in "biuf":
        raise DataError(
            f"input {name!r}",
            f"takes (n, {', '.join(map(str, tensor.shape))}), not {array.dtype}{list(array.shape)}",
        )
    moved = array.transpose(0, *(axis + 1 for axis in axes))
    fits = moved.shape[1:] == tensor.shape
    return np.ascontiguousarray(moved if fits else array, tensor.dtype)
