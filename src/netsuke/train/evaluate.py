"""How good a graph is on a part of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from netsuke.data import Dataset, Part
from netsuke.data.stored import stored_inputs
from netsuke.errors import DataError
from netsuke.ir import Array, Graph
from netsuke.train.integers import interpret_many
from netsuke.train.memory import kept_memory
from netsuke.train.module import scores_graph, to_module

Run: TypeAlias = Callable[[Array], Array]
"""Stored inputs ``(n, *shape)`` -> stored first outputs ``(n, *shape)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a graph did on a part.

    Attributes
    ----------
    losses
        One number a sample: 1 for a wrong class and 0 for the right one, or the squared error
        divided by the variance of the targets.
    predictions
        Class numbers, or real outputs ``(n, k)``.
    """

    losses: Array
    predictions: Array

    @property
    def metric(self) -> float:
        """Points: 100 · (1 - mean loss), the accuracy in percent or 100 · R²."""
        return 100.0 * (1.0 - float(self.losses.mean()))


def predict(graph: Graph, part: Part, run: Run | None = None, batch: int = 256) -> Array:
    """Return real first outputs ``(n, k)`` of a graph for a part.

    Parameters
    ----------
    graph
        Float (computed by PyTorch) or integer (computed by `interpret_many`, bit for bit).
    part
        Samples.
    run
        Computes the graph instead, for example the compiled library.
    batch
        Samples at a time.
    """
    out = graph.tensors[graph.outputs[0]]
    if run is None:
        integer = any(tensor.quant is not None for tensor in graph.tensors.values())
        run = (lambda x: interpret_many(graph, x)) if integer else torch_run(graph)
    results = []
    with kept_memory():
        for samples in part.batches(batch):
            stored = run(stored_inputs(graph, samples))
            real = stored if out.quant is None else out.quant.dequantize(stored)
            results.append(real.reshape(len(stored), -1))
    if not results:
        raise DataError("data", "has no samples in this part")
    return np.concatenate(results)


def torch_run(graph: Graph) -> Run:
    """Compute a float graph by PyTorch."""
    module = to_module(graph).eval()

    def run(stored: Array) -> Array:
        with torch.inference_mode():
            outputs = module(torch.from_numpy(np.ascontiguousarray(stored)))
        first = outputs[0] if isinstance(outputs, tuple) else outputs
        values: Array = first.numpy()
        return values

    return run


def evaluate(graph: Graph, data: Dataset, part: Part, run: Run | None = None) -> Evaluation:
    """Evaluate a graph on a part of a data set.

    Raises
    ------
    DataError
        When the part is empty or has no labels.
    """
    plain = graph if run is not None or _is_integer(graph) else scores_graph(graph)
    return judge(predict(plain, part, run), data, part)


def _is_integer(graph: Graph) -> bool:
    return any(tensor.quant is not None for tensor in graph.tensors.values())


def judge(outputs: Array, data: Dataset, part: Part) -> Evaluation:
    """Compare real outputs ``(n, k)`` with the labels of a part."""
    labels = part.labels
    if data.task == "regression":
        wanted = labels.reshape(len(labels), -1)
        variance = float(wanted.var()) or 1.0
        return Evaluation(np.square(outputs - wanted).mean(axis=1) / variance, outputs)
    classes = classify(outputs)
    return Evaluation((classes != labels).astype(np.float64), classes)


def classify(outputs: Array) -> Array:
    """Class numbers of scores ``(n, k)``: the first largest; one score is a log-odds."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).astype(np.int64)
    numbers: Array = outputs.argmax(axis=1)
    return numbers
