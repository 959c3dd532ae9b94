"""How much training fits into the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from netsuke.data import Dataset
from netsuke.ir import Graph
from netsuke.train import Progress, Recipe, predict, scores_graph, train

PROBE = 0.08
"""Share of the training that each candidate gets before one is chosen."""
MOST_EPOCHS = 60
SAMPLE = 192


@dataclass(frozen=True, slots=True)
class Effort:
    """A plan of training, fixed before it begins so that a resumed run does the same.

    Attributes
    ----------
    samples
        Training samples that are used at all.
    probe, final
        Samples that each candidate, and the chosen one, learns from; repeated ones count again.
    """

    samples: int
    probe: int
    final: int

    def record(self) -> dict[str, Any]:
        return asdict(self)


def with_visits(recipe: Recipe, visits: int, samples: int) -> Recipe:
    """The recipe with so many samples learned from: whole epochs, or part of one."""
    if visits < samples:
        return replace(recipe, epochs=1, samples=max(visits, recipe.batch))
    return replace(recipe, epochs=visits // samples, samples=0)


def plan_effort(
    teacher: Graph, student: Graph, data: Dataset, seconds: float, probes: int, recipe: Recipe
) -> Effort:
    """Measure both networks for a moment and fill the seconds that are left.

    Counts come in steps of a fifth, so that two runs on a machine agree as a rule; give
    ``epochs`` to make them agree always.
    """
    count = min(SAMPLE, len(data.train))
    few = replace(data, train=data.train.take(count))
    quiet = Progress(visible=False)
    once = replace(recipe, epochs=1, batch=min(recipe.batch, count))
    first = replace(once, samples=once.batch)  # the first step is slower
    train(student, few, first, validate=False, progress=quiet)
    learning = _seconds(lambda: train(student, few, once, validate=False, progress=quiet)) / count
    plain = scores_graph(teacher)
    teaching = _seconds(lambda: predict(plain, few.train)) / count
    if recipe.augment != "none":
        learning += teaching
    left = max(seconds, 1.0)
    samples = min(len(data.train), max(count, _step(left / (4 * teaching + 4 * learning))))
    visits = max(0.0, left - samples * teaching) / learning
    probe = _step(visits * PROBE) if probes else 0
    final = _step(min(MOST_EPOCHS * samples, visits - probes * probe))
    return Effort(samples, probe, final)


def _seconds(work: Callable[[], object]) -> float:
    """The least of three: others may be using the machine."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _step(wish: float) -> int:
    """The largest of 64, 76, 91, 109 … that is not more than a wish."""
    value = 64
    while (following := value * 6 // 5) <= wish:
        value = following
    return value
