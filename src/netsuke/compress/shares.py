"""How many weights each layer loses when a network is to lose so many in all.

A level is raised until enough weights lie below it. What the level means is the method:

``uniform``
    The share of its weights that every layer loses.
``deviation``
    The quality parameter of Han et al. 2015 (arXiv:1506.02626, section 3.1): a layer loses the
    weights whose magnitude is below level · σ, with σ the standard deviation of its weights.
``sensitivity``
    The rise of the loss that every layer alone may cause (section 3.4 there: each layer is pruned
    by itself, without retraining, and its threshold follows from what the network bears).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from netsuke.data import Dataset, Part
from netsuke.ir import Array, Graph, constant
from netsuke.train import Recipe, predict, scores_graph
from netsuke.train.loss import loss

METHODS = ("sensitivity", "deviation", "uniform")
GRID = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.985, 0.995)
"""Shares at which the loss is measured; between them it is interpolated.

They lie close together from 0.8 on. Below, a layer may raise the loss up to twice as much as
another one (measured on digits: 1.8 at a total of 0.7, 1.05 at 0.8 and at 0.9).
"""
SAMPLES = 2000
"""Samples on which it is measured."""
HALVINGS = 100

Shares = Callable[[float], dict[str, float]]
"""A level -> the share of zeros of every layer, rising with the level."""


def zeros_by_layer(
    graph: Graph, weights: Mapping[str, Array], total: int, method: str, data: Dataset
) -> dict[str, int]:
    """How many weights of each layer are to be 0, so that `total` are in all.

    Every layer keeps the zeros that it has, and at least one weight.

    Parameters
    ----------
    graph
        The network; only measured by ``sensitivity``.
    weights
        Names of the weights -> their values.
    total
        Zeros in all; at most all weights but one a layer.
    method
        One of `METHODS`.
    data
        Its validation part (the training part where there is none) measures the sensitivity.
    """
    if method == "uniform":
        top, shares = 1.0, _uniform(weights)
    elif method == "deviation":
        top, shares = _deviation(weights)
    else:
        top, shares = _sensitivity(graph, weights, data)
    return _raise_level(weights, total, shares, top)


def _raise_level(
    weights: Mapping[str, Array], total: int, shares: Shares, top: float
) -> dict[str, int]:
    """Halve the interval of levels until its ends prune the same, and fill up what ties left."""
    present = {name: int((array == 0).sum()) for name, array in weights.items()}

    def counts(level: float) -> dict[str, int]:
        return {
            name: max(present[name], min(weights[name].size - 1, int(share * weights[name].size)))
            for name, share in shares(level).items()
        }

    low, high = 0.0, top
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if sum(counts(middle).values()) <= total else (low, middle)
    found, most = counts(low), counts(high)
    missing = total - sum(found.values())
    for name in sorted(found, key=lambda name: -weights[name].size):
        extra = max(0, min(missing, most[name] - found[name]))
        found[name], missing = found[name] + extra, missing - extra
    return found


def _uniform(weights: Mapping[str, Array]) -> Shares:
    return lambda level: dict.fromkeys(weights, level)


def _deviation(weights: Mapping[str, Array]) -> tuple[float, Shares]:
    ranked = {
        name: np.sort(np.abs(array).ravel() / (float(array.std()) or 1.0))
        for name, array in weights.items()
    }

    def shares(level: float) -> dict[str, float]:
        return {
            name: float(np.searchsorted(values, level, "right")) / values.size
            for name, values in ranked.items()
        }

    return max(float(values[-1]) for values in ranked.values()), shares


def _sensitivity(graph: Graph, weights: Mapping[str, Array], data: Dataset) -> tuple[float, Shares]:
    part = (
        data.validation
        if len(data.validation) and data.validation.targets is not None
        else (data.train)
    )
    part = part.take(SAMPLES)
    plain = scores_graph(graph)
    before = mean_loss(plain, data, part)
    curves = {}
    for name, array in weights.items():
        rises, tops = [0.0], [0.0]
        for share in (*GRID, (array.size - 1) / array.size):
            pruned = without_smallest(array, int(share * array.size))
            rise = mean_loss(_with(plain, {name: pruned}), data, part) - before
            # A rise that is lost in noise must not let a layer go unseen: curves rise strictly.
            rises.append(max(rise, rises[-1] + 1e-9))
            tops.append(max(share, tops[-1]))
        curves[name] = np.array(rises), np.array(tops)

    def shares(level: float) -> dict[str, float]:
        return {
            name: float(np.interp(level, rises, tops)) for name, (rises, tops) in curves.items()
        }

    return max(float(rises[-1]) for rises, _ in curves.values()), shares


def mean_loss(graph: Graph, data: Dataset, part: Part) -> float:
    """The mean loss of a float graph of scores on a part with labels."""
    import torch

    outputs = torch.from_numpy(np.ascontiguousarray(predict(graph, part)))
    assert part.targets is not None
    targets = part.targets[part.indices]
    return float(loss(outputs, targets, None, data.task, len(data.classes), Recipe()))


def without_smallest(weights: Array, count: int) -> Array:
    """Weights of which the `count` smallest magnitudes are 0; equal ones go in their order."""
    pruned = weights.copy().reshape(-1)
    pruned[np.argsort(np.abs(pruned), kind="stable")[:count]] = 0
    return pruned.reshape(weights.shape)


def _with(graph: Graph, weights: Mapping[str, Array]) -> Graph:
    tensors = {**graph.tensors, **{name: constant(name, array) for name, array in weights.items()}}
    return replace(graph, tensors=tensors)
