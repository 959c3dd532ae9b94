"""How much training fits into the time."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from netsuke.data import Dataset
from netsuke.ir import Graph
from netsuke.train import Progress, Recipe, predict, scores_graph, train

SHARE = 0.85
"""Of the time that training may take; the rest is for compiling and judging."""
PROBE = 0.08
"""Share of the training that each candidate gets before one is chosen."""
MOST_EPOCHS = 60
SAMPLE = 512


@dataclass(frozen=True, slots=True)
class Effort:
    """A plan of training, fixed before it begins so that a resumed run does the same.

    Attributes
    ----------
    samples
        Training samples that are used at all.
    probe, final
        Epochs of each candidate, and of the chosen one.
    """

    samples: int
    probe: int
    final: int

    def record(self) -> dict[str, Any]:
        return asdict(self)


def plan_effort(
    teacher: Graph, student: Graph, data: Dataset, seconds: float, probes: int, recipe: Recipe
) -> Effort:
    """Measure both networks for a moment and fill the seconds that are left.

    Epochs come in steps of about a fifth, so that two runs on a machine agree as a rule; give
    ``epochs`` to make them agree always.
    """
    count = min(SAMPLE, len(data.train))
    few = replace(data, train=data.train.take(count))
    quiet = Progress(visible=False)
    once = replace(recipe, epochs=1, batch=min(recipe.batch, count))
    train(student, few, once, validate=False, progress=quiet)  # the first steps are slower
    learning = _seconds(lambda: train(student, few, once, validate=False, progress=quiet)) / count
    teaching = _seconds(lambda: predict(scores_graph(teacher), few.train)) / count
    if recipe.augment != "none":
        learning += teaching
    left = max(seconds, 1.0)
    samples = min(len(data.train), max(count, int(left / (4 * teaching + 4 * learning))))
    visits = max(0.0, left - samples * teaching) / learning
    epochs = visits / samples
    probe = max(1, _step(epochs * PROBE))
    return Effort(samples, probe, max(1, _step(min(MOST_EPOCHS, epochs - probes * probe))))


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _step(epochs: float) -> int:
    """The largest of 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18 … that is not more."""
    value = 1
    while (following := max(value + 1, value * 6 // 5)) <= epochs:
        value = following
    return value
