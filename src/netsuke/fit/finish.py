"""From the best design to what ships: it learns for the rest of the time, then its integers do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from netsuke.compress.qat import tune
from netsuke.data import Dataset
from netsuke.devices import Device
from netsuke.fit.design import Design
from netsuke.fit.effort import Effort, with_visits
from netsuke.fit.learning import Learning
from netsuke.fit.measure import Shipped, compiled, evaluate_integers, ship
from netsuke.fit.workers import gaps, seen
from netsuke.ir import Graph

ROUNDS = 4  # of training the chosen design in float
GENTLE = 0.1  # share of the learning rate that trained integers bear
MUCH = 0.25  # share of the time that is worth another round


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A design that will ship.

    Attributes
    ----------
    graph
        Float, trained.
    shipped
        Its integers and their C.
    score
        Points of the integers on validation data.
    """

    graph: Graph
    shipped: Shipped
    score: float


def finish(
    learning: Learning, name: str, design: Design, graph: Graph, effort: Effort, device: Device
) -> Finished:
    """Train a design's graph, quantize it, train the integers; what validates best ships.

    The plan may have been cautious, since the machine was busy when it was made: while much time
    is left, training goes on, and what is better on validation data stays.
    """
    data = seen(learning.data, design.inputs)
    graph = learning.further(name, graph, design, effort.final)
    best = rounded(learning, name, graph, data, device)
    for number in range(1, ROUNDS):
        if learning.told is not None or learning.left() < MUCH * learning.time:
            break
        again = f"{name}{number}"
        more = learning.plan(f"{again}-effort", graph, 0, design)
        graph = learning.further(again, best.graph, design, more.final)
        following = rounded(learning, again, graph, data, device)
        best = following if following.score >= best.score else best
    return integers_learn(learning, name, design, best, effort.integers, device)


def integers_learn(
    learning: Learning, name: str, design: Design, best: Finished, visits: int, device: Device
) -> Finished:
    """Train the integers from where float training ended; what validates better ships."""
    if not visits:
        return best
    step, lesson = f"{name}-learned", learning.lesson
    data = seen(lesson.data, design.inputs)
    recipe = replace(with_visits(lesson.recipe, visits, len(data.train)), weight_decay=0.0)
    recipe = replace(recipe, lr=GENTLE * recipe.lr, hint=0.0, hint_epochs=0)

    def make() -> Graph:
        trained = tune(
            best.graph,
            data,
            recipe,
            taught=lesson.taught,
            deadline=learning.deadline(),
            out=learning.folder.inside(step),
            resume=True,
            validate=False,
            progress=learning.bar,
        )
        learning.folder.values(f"{step}-losses", lambda: [e["loss"] for e in trained.history])
        return trained.graph

    quantized = learning.folder.graph(step, make)
    learning.curves[step] = learning.folder.values(f"{step}-losses", list)
    shipped = compiled(quantized, device)
    score = _score(learning, step, shipped, data)
    return best if score < best.score else Finished(best.graph, shipped, score)


def rounded(learning: Learning, name: str, graph: Graph, data: Dataset, device: Device) -> Finished:
    """Post-training quantization, scored."""
    shipped = ship(graph, data, device)
    return Finished(graph, shipped, _score(learning, name, shipped, data))


def _score(learning: Learning, name: str, shipped: Shipped, data: Dataset) -> float:
    part = data.validation.take(learning.judged)

    def make() -> float:
        found = evaluate_integers(shipped, data, part)
        lacking = gaps(found.losses, part.labels, data, learning.floors).values()
        return found.metric - sum(max(0.0, gap) for gap in lacking)

    value: float = learning.folder.values(f"{name}-metric", make)
    learning.bar.say(f"{name}: {value:.2f} on validation data, as integers")
    return value
