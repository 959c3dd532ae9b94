"""Several trainings, of which the one that generalizes best is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netsuke.ir import Array, Graph


def best_of(
    train: Callable[[np.random.Generator, Array], Graph],
    score: Callable[[Graph, Array], float],
    strata: Array,
    restarts: int,
    fraction: float,
    rng: np.random.Generator,
) -> Graph:
    """Train `restarts` times without a part of the rows, and keep the best graph on that part.

    Parameters
    ----------
    train
        (randomness, rows) -> graph.
    score
        (graph, rows) -> the larger, the better.
    strata
        ``(n,)`` integers; each of their values is held out in the same proportion.
    restarts
        With 1 nothing is held out.
    fraction
        Of the rows that is held out, at least one and at most half.
    rng
        The only source of randomness.
    """
    rows = np.arange(len(strata))
    if restarts == 1 or len(rows) < 4:
        return train(rng, rows)
    shuffled = rng.permutation(rows)
    shuffled = shuffled[np.argsort(strata[shuffled], kind="stable")]
    every = max(2, round(1 / fraction))
    held = np.zeros(len(rows), bool)
    held[shuffled[::every]] = True
    graphs = [train(rng, rows[~held]) for _ in range(restarts)]
    return max(graphs, key=lambda graph: score(graph, rows[held]))
