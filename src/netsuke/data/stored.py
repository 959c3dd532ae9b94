"""Samples of a data set in the order and shape in which a graph stores its input."""

from __future__ import annotations

import math
from pathlib import PurePath

import numpy as np

from netsuke.data.dataset import Dataset
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph


def serves(wanted: tuple[int, ...], given: tuple[int, ...]) -> bool:
    """Whether samples can be stored in a shape: as they are, channels first, or in a row."""
    if channels_first(wanted, given) or wanted == (math.prod(given),):
        return True
    return [extent for extent in wanted if extent > 1] == [extent for extent in given if extent > 1]


def channels_first(wanted: tuple[int, ...], given: tuple[int, ...]) -> bool:
    """Whether a graph keeps (c, h, w) what a data set has as (h, w, c)."""
    return len(given) == 3 and wanted == (given[2], *given[:2]) and wanted != given


def stored_inputs(graph: Graph, samples: Array) -> Array:
    """Samples ``(n, …)`` in the order, shape and type that a graph's input has."""
    tensor = graph.tensors[graph.inputs[0]]
    if channels_first(tensor.shape, samples.shape[1:]):
        samples = samples.transpose(0, 3, 1, 2)
    shaped = np.ascontiguousarray(samples.reshape(len(samples), *tensor.shape))
    return shaped if tensor.quant is None else tensor.quant.quantize(shaped)


def misfit(graph: Graph, data: Dataset) -> str | None:
    """Why a graph cannot take the samples of a data set, and what to try; None if it can."""
    wanted, given = graph.tensors[graph.inputs[0]].shape, data.shape
    if serves(wanted, given):
        return None
    plain, mark = data.name.partition("?")[0], "&" if "?" in data.name else "?"
    if PurePath(plain).suffix.lower() not in (".npz", ".csv", ".tsv", ".txt", ".gz"):
        size = "x".join(map(str, wanted[:2])) if len(wanted) == 3 else "…"
        advice = f"try {plain}?size={size}, or another model"
    elif len(given) > 1 and serves(wanted, (*given[1:], given[0])):
        advice = f"its channels seem to stand first: try '{data.name}{mark}layout=nchw'"
    else:
        advice = "give samples of that shape, or another model"
    return f"{graph.name} takes samples of {list(wanted)}, {data.name} has {list(given)}; {advice}"


def check_match(graph: Graph, data: Dataset) -> None:
    """Check that a graph takes the samples of a data set and scores its classes.

    Raises
    ------
    UsageError
        Saying both shapes and what to try.
    """
    if len(graph.inputs) != 1:
        raise UsageError(f"{graph.name} has {len(graph.inputs)} inputs; data sets serve one")
    problem = misfit(graph, data)
    if problem is not None:
        raise UsageError(problem)
    scores = graph.tensors[graph.outputs[0]].elements
    classes = len(data.classes)
    if data.task == "classification" and scores < classes and (scores, classes) != (1, 2):
        raise UsageError(
            f"{graph.name} scores {scores} classes, {data.name} has {classes}; "
            f"build it with ?classes={classes}"
        )
