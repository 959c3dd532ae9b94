"""How much training fits into the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from netsuke.data import Dataset
from netsuke.ir import Graph
from netsuke.train import Progress, Recipe, predict, scores_graph, train

SEARCHING, FIRST_CUT, QAT = 0.3, 0.12, 0.12
"""Shares of the training: of designs before one is chosen, of a first cut, of the integers."""
MOST_EPOCHS = 120
MOST_DESIGNS, FEWEST_DESIGNS = 36, 3
HANDLING = 6.0
"""Seconds that a design takes besides its training, about: planning, judging, writing."""
SAMPLE = 192
VIEWS, ASKING = (4, 16), 0.1
"""Views of a sample that a teacher scores, at least and at most; share of the time for that."""
STEP = 3
"""Successive halving: so many designs for one that goes on, with so many times the training."""


@dataclass(frozen=True, slots=True)
class Effort:
    """A plan of training, fixed before it begins so that a resumed run does the same.

    Counts of visits are samples that a network learns from; repeated ones count again.

    Attributes
    ----------
    samples
        Training samples that are used at all.
    views
        Of each sample that the teacher scores, when samples are augmented.
    first_cut
        Visits of the network between the original and much smaller ones.
    designs
        Designs that begin.
    visits
        Visits of each of them at the first rung; a third goes on with three times as many.
    final
        Visits of the design that is chosen, in float.
    integers
        Visits of its integers (quantization-aware training).
    """

    samples: int
    views: int
    first_cut: int
    designs: int
    visits: int
    final: int
    integers: int

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def generations(self) -> tuple[int, ...]:
        """Designs of each generation: half are first ideas, the others children of the best."""
        if self.designs < 6:
            return (self.designs,)
        half = (self.designs + 1) // 2
        rest = self.designs - half
        return (half, rest) if rest < 8 else (half, (rest + 1) // 2, rest // 2)

    @property
    def rungs(self) -> tuple[tuple[int, int], ...]:
        """(designs that reach it, visits that it adds) of each rung."""
        found = [(self.designs, self.visits)]
        while found[-1][0] >= 2 * STEP:
            count, visits = found[-1]
            found.append((count // STEP, visits * (STEP - 1 if len(found) == 1 else STEP)))
        return tuple(found)


def told(epochs: int, designs: int | None, count: int) -> Effort:
    """The effort of a person who gave the epochs; then no clock decides anything."""
    wanted = 4 if designs is None else designs
    each = max(1, epochs // 8) * count
    return Effort(count, VIEWS[0], each, wanted, each, epochs * count, max(1, epochs // 5) * count)


def with_visits(recipe: Recipe, visits: int, samples: int) -> Recipe:
    """The recipe with so many samples learned from: whole epochs, or part of one."""
    if visits < samples:
        return replace(recipe, epochs=1, samples=max(visits, recipe.batch))
    return replace(recipe, epochs=visits // samples, samples=0)


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds a sample, of a student's learning and a teacher's answering."""

    learning: float
    teaching: float


def measure_speed(
    teacher: Graph, data: Dataset, student: Graph, its_data: Dataset, recipe: Recipe
) -> Speed:
    """Watch both networks for a moment (the least of three: others may use the machine).

    Parameters
    ----------
    teacher, data
        The network that answers, and the samples as it takes them.
    student, its_data
        The network that learns, and the same samples as it takes them.
    recipe
        Batch, optimizer and threads.
    """
    count = min(SAMPLE, len(data.train))
    few = replace(its_data, train=its_data.train.take(count))
    quiet = Progress(visible=False)
    once = replace(recipe, epochs=1, batch=min(recipe.batch, count), augment="none", views=0)
    first = replace(once, samples=once.batch)  # the first step is slower
    train(student, few, first, validate=False, progress=quiet)
    learning = _seconds(lambda: train(student, few, once, validate=False, progress=quiet)) / count
    plain, asked = scores_graph(teacher), data.train.take(count)
    teaching = _seconds(lambda: predict(plain, asked)) / count
    return Speed(learning, teaching)


def plan_effort(
    speed: Speed,
    count: int,
    seconds: float,
    designs: int | None = None,
    first_cut: float = 0.0,
    augmented: bool = False,
) -> Effort:
    """Fill the seconds that are left.

    Counts come in steps of a fifth, so that two runs on a machine agree as a rule; give
    ``epochs`` to make them agree always.

    Parameters
    ----------
    speed
        Of a network of the size that is searched for.
    count
        Training samples that there are.
    seconds
        Left for training.
    designs
        How many a person asked for; 0: no search, None: as many as the time allows.
    first_cut
        How many times a visit of the network between costs one of a small network; 0: there is
        none.
    augmented
        Whether the teacher scores several views of each sample.
    """
    left = max(seconds, 1.0)
    least, most = VIEWS
    affordable = ASKING * left / max(count * speed.teaching, 1e-9)
    views = int(min(max(affordable, least), most))
    once = (views if augmented else 1) * speed.teaching
    samples = min(count, max(min(SAMPLE, count), _step(left / (4 * once + 4 * speed.learning))))
    budget = max(0.0, left - samples * once) / speed.learning
    wanted, visits = _designs(budget * SEARCHING, samples, left, designs)
    used = _ladder(wanted, visits)
    cut = _step(budget * FIRST_CUT / first_cut) if first_cut else 0
    integers = _step(budget * QAT)
    final = budget - used - cut * first_cut - integers
    most = MOST_EPOCHS * samples
    return Effort(
        samples, views, cut, wanted, visits, _step(min(most, final)), min(integers, most // 8)
    )


def _designs(budget: float, samples: int, seconds: float, designs: int | None) -> tuple[int, int]:
    """(designs, visits of each at the first rung) within a budget of visits."""
    if designs == 0:
        return 0, 0
    if designs is None:
        affordable = min(budget / (2.0 * max(samples, 1)), SEARCHING * seconds / HANDLING)
        designs = max(FEWEST_DESIGNS, min(MOST_DESIGNS, int(affordable)))
    return designs, _step(budget / _ladder(designs, 1))


def _ladder(designs: int, visits: int) -> int:
    """Visits of all rungs together."""
    rungs = Effort(0, 0, 0, designs, visits, 0, 0).rungs
    return sum(number * each for number, each in rungs)


def _seconds(work: Callable[[], object]) -> float:
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
