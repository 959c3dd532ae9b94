"""Candidates learn from the original, for a while or for the rest of the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from netsuke.data import Dataset, Part
from netsuke.devices import Device
from netsuke.fit.effort import PROBE, Effort, plan_effort, with_visits
from netsuke.fit.folder import RunFolder
from netsuke.fit.measure import evaluate_integers, ship
from netsuke.fit.result import Attempt
from netsuke.fit.sizing import Sized
from netsuke.ir import Array, Graph
from netsuke.train import Progress, Recipe, evaluate, predict, scores_graph, train

JUDGED = (250, 2000)  # validation samples that choose among candidates, at least and at most
ROUNDS = 4  # of training the chosen candidate
MUCH = 0.25  # share of the time that is worth another round
RESERVE = 0.1  # share of the time for compiling
JUDGING = 1e9  # multiply-accumulates a second of the C on this machine, about


class Learning:
    """Distillation (Hinton et al. 2015, arXiv:1503.02531) of one original within one run's time.

    Parameters
    ----------
    teacher
        The original.
    data
        Training and validation part are used; the test part only lends its size.
    device
        What candidates are compiled for when they are judged.
    recipe
        How weights are trained.
    folder
        Keeps every step.
    time
        Seconds of the whole run.
    told
        Effort that a person asked for; then no clock decides anything.
    bar
        Shows how far it is.
    """

    def __init__(
        self,
        teacher: Graph,
        data: Dataset,
        device: Device,
        recipe: Recipe,
        folder: RunFolder,
        time: float,
        told: Effort | None,
        bar: Progress,
    ) -> None:
        self.teacher, self.data, self.device, self.recipe = teacher, data, device, recipe
        self.folder, self.time, self.told, self.bar = folder, time, told, bar
        self.effort: Effort | None = told
        self.subset = data
        self.taught: Array | None = None
        self.attempts: list[Attempt] = []
        self.notes: list[str] = []

    def begin(self, student: Graph, probes: int) -> None:
        """Plan the training of so many candidates and of the chosen one; ask the teacher."""
        if self.told is None:
            self.effort = Effort(**self.folder.values("effort", self._planned(student, probes)))
        assert self.effort is not None
        self._teach(self.effort, "taught")

    def _planned(self, student: Graph, probes: int) -> Callable[[], dict[str, Any]]:
        def make() -> dict[str, Any]:
            left = self._training_time() - self.folder.elapsed
            plan = plan_effort(self.teacher, student, self.data, left, probes, self.recipe)
            return plan.record()

        return make

    def _training_time(self) -> float:
        """Seconds of the whole time; the rest is for compiling and judging the last network."""
        judging = len(self.data.test) * self.teacher.macs / JUDGING
        return self.time - min(0.4 * self.time, RESERVE * self.time + judging)

    def _deadline(self, short: bool) -> float | None:
        """``time.monotonic()`` at which a training must end.

        A probe may take twice its share, or a busy machine would leave nothing to the last one.
        """
        if self.told is not None:
            return None
        now = monotonic()
        left = self.folder.started + self._training_time() - self.folder.before - now
        return now + (min(left, 2 * PROBE * self.time) if short else left)

    def _teach(self, effort: Effort, name: str) -> None:
        """Compute the teacher's scores of the samples that are used, once."""
        self.subset = replace(self.data, train=self.data.train.take(effort.samples))
        self.taught = None
        if self.recipe.augment == "none":
            self.taught = self.folder.array(
                name, lambda: predict(scores_graph(self.teacher), self.subset.train)
            )

    def probe(self, name: str, each: Sized, student: Graph) -> Graph:
        """Let a candidate learn for a while and note how good its integers are."""
        assert self.effort is not None
        origin, sizes, visits = each.candidate.origin, each.sizes, self.effort.probe
        self.bar.say(f"{origin}: {sizes.flash:,} B flash, {sizes.ram:,} B RAM")
        graph = self.folder.graph(name, lambda: self._learn(name, student, visits, short=True))
        metric = self.score(name, graph)
        self.attempts.append(Attempt(origin, each.candidate.widths, sizes, metric))
        return graph

    def _learn(self, name: str, student: Graph, visits: int, short: bool = False) -> Graph:
        recipe = with_visits(self.recipe, visits, len(self.subset.train))
        trained = train(
            student,
            self.subset,
            recipe,
            teacher=self.teacher,
            taught=self.taught,
            out=self.folder.inside(name),
            resume=True,
            deadline=self._deadline(short),
            validate=False,
            progress=self.bar,
        )
        if not trained.finished:
            done = len(trained.history) + 1
            self.notes.append(f"{name}: the time ran out in epoch {done} of {recipe.epochs}.")
        return trained.graph

    def score(self, name: str, graph: Graph) -> float:
        """Points of a graph's integers on validation data."""

        def make() -> float:
            shipped = ship(graph, self.data, self.device)
            return evaluate_integers(shipped, self.data, self._judged()).metric

        metric: float = self.folder.values(f"{name}-metric", make)
        self.bar.say(f"{name}: {metric:.2f} on validation data")
        return metric

    def teacher_score(self) -> float:
        """Points of the original on the same data."""
        return evaluate(self.teacher, self.data, self._judged()).metric

    def _judged(self) -> Part:
        """Validation samples that a candidate's C runs in a twentieth of the time."""
        least, most = JUDGED
        affordable = int(0.05 * self.time * JUDGING / max(self.teacher.macs, 1))
        return self.data.validation.take(max(least, min(most, affordable)))

    def finish(self, name: str, student: Graph) -> tuple[Graph, float]:
        """Train a candidate for the rest of the time; return it with its points.

        The plan may have been cautious, since the machine was busy when it was made: while much
        time is left, training goes on, and what is better on validation data stays.
        """
        assert self.effort is not None
        visits = self.effort.final
        graph = self.folder.graph(name, lambda: self._learn(name, student, visits))
        metric = self.score(name, graph)
        for number in range(1, ROUNDS):
            plan = self._further(f"{name}-effort{number}", graph)
            if plan is None:
                break
            self._teach(plan, f"{name}-taught{number}")
            again = f"{name}{number}"
            further = self.folder.graph(again, partial(self._learn, again, graph, plan.final))
            following = self.score(again, further)
            if following >= metric:
                graph, metric = further, following
        return graph, metric

    def _further(self, name: str, student: Graph) -> Effort | None:
        """A plan for the time that is left, if that is much; kept for a resumed run."""

        def make() -> dict[str, Any]:
            left = self._training_time() - self.folder.elapsed
            if self.told is not None or left < MUCH * self.time:
                return {}
            return self._planned(student, 0)()

        record = self.folder.values(name, make)
        return Effort(**record) if record else None
