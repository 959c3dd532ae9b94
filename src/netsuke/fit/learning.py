"""Designs learn from the original: at a rung of the search, or for the rest of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from netsuke.data import Dataset
from netsuke.fit.design import Design, Sized
from netsuke.fit.effort import Effort, Speed, measure_speed, plan_effort
from netsuke.fit.folder import RunFolder
from netsuke.fit.result import Attempt
from netsuke.fit.space import DesignSpace
from netsuke.fit.trials import Trials
from netsuke.fit.workers import Job, Lesson, Outcome, Workers, learn, score, seen
from netsuke.ir import Array, Graph, load_graph, save_graph
from netsuke.ops import OPERATORS
from netsuke.train import Progress, Recipe, predict, scores_graph
from netsuke.train.teaching import Teaching

JUDGED = (500, 4000)  # validation samples that score a design, at least and at most
RESERVE = 0.1  # share of the time for compiling
JUDGING = 1e9  # multiply-accumulates a second of the C on this machine, about
HURRY = 2.5  # times its planned share after which a training must end


class Learning:
    """Distillation (Hinton et al. 2015, arXiv:1503.02531) of one original within one run's time.

    Parameters
    ----------
    teacher
        The original.
    data
        Training and validation part are used; the test part only lends its size.
    recipe
        How weights are trained.
    folder
        Keeps every step.
    trials
        Keeps every score.
    time
        Seconds of the whole run.
    told
        Effort that a person asked for; then no clock decides anything.
    workers
        Where designs of the search learn.
    floors
        Class -> least accuracy in points.
    bar
        Shows how far it is.
    """

    def __init__(
        self,
        teacher: Graph,
        data: Dataset,
        recipe: Recipe,
        folder: RunFolder,
        trials: Trials,
        time: float,
        told: Effort | None,
        workers: Workers,
        floors: tuple[tuple[str, float], ...],
        bar: Progress,
    ) -> None:
        self.teacher, self.data, self.recipe = teacher, data, recipe
        self.folder, self.trials, self.time, self.told = folder, trials, time, told
        self.workers, self.floors, self.bar = workers, floors, bar
        self.attempts: dict[str, Attempt] = {}
        self.notes: list[str] = []
        self.curves: dict[str, list[float]] = {}
        self.speed: Speed | None = None
        self._lesson: Lesson | None = None

    @property
    def judged(self) -> int:
        """Validation samples that score a design: what the original does in a fiftieth."""
        least, most = JUDGED
        affordable = int(0.02 * self.time * JUDGING / max(self.teacher.macs, 1))
        return min(len(self.data.validation), max(least, min(most, affordable)))

    def plan(
        self,
        name: str,
        student: Graph,
        designs: int | None,
        design: Design | None = None,
        first_cut: float = 0.0,
    ) -> Effort:
        """Plan the training that the rest of the time allows, and ask the teacher.

        Parameters
        ----------
        name
            Of the plan.
        student, design
            A network like those that will learn, and its design; None: one that takes the
            original's input.
        designs, first_cut
            As for `plan_effort`.
        """

        def make() -> dict[str, Any]:
            if self.speed is None:
                its_data = seen(self.data, () if design is None else design.inputs)
                asked = (self.teacher, self.data, student, its_data, self.recipe)
                self.speed = measure_speed(*asked)
            augmented = self.recipe.augment != "none"
            count = len(self.data.train)
            return plan_effort(
                self.speed, count, self.left(), designs, first_cut, augmented
            ).record()

        effort = self.told or Effort(**self.folder.values(name, make))
        self._prepare(effort)
        return effort

    def left(self) -> float:
        """Seconds left for training; the rest is for compiling and judging the last network."""
        judging = len(self.data.test) * self.teacher.macs / JUDGING
        reserve = min(0.4 * self.time, RESERVE * self.time + judging)
        return self.time - reserve - self.folder.elapsed

    def _prepare(self, effort: Effort) -> None:
        """Compute the teacher's scores of the samples that are used, once.

        Augmented samples come in views that are the same for every student, whatever size it
        sees them in (Beyer et al. 2022, arXiv:2106.05237).
        """
        subset = replace(self.data, train=self.data.train.take(effort.samples))
        views = effort.views if self.recipe.augment != "none" else 0
        recipe = replace(self.recipe, views=views)
        self.bar.at("asking the original", 0, 1)

        def ask() -> Array:
            if views:
                return Teaching(self.teacher, None, subset, recipe).all_views()
            return predict(scores_graph(self.teacher), subset.train)

        taught = self.folder.array(f"taught-{effort.samples}-{views}", ask)
        self._lesson = Lesson(subset, taught, recipe, self.judged, self.floors)

    @property
    def lesson(self) -> Lesson:
        assert self._lesson is not None
        return self._lesson

    def original_score(self) -> float:
        """The original's points on the samples that score designs."""
        return score(self.teacher, self.data, self.judged, self.floors)

    # ---- rungs of the search

    def rung(
        self, space: DesignSpace, designs: Sequence[Sized], rung: int, visits: int
    ) -> dict[str, float]:
        """Let designs learn for a while, each from where its last rung ended; scores by key.

        What was learned before (in an earlier life of the run) is not learned again.
        """
        missing = []
        for each in designs:
            places = {group.name: group.units for group in space.skeleton_of(each.design).groups}
            offered = {str(edit): edit in each.design.edits for edit in space.edits}
            self.trials.add(each, places, offered)
            if not self._is_done(each.design, rung):
                missing.append(each.design)
        jobs = [self._job(space, design, rung, visits) for design in missing]
        by_name = {job.name: design for job, design in zip(jobs, missing, strict=True)}
        for outcome in self.workers(self.lesson, jobs, self.bar) if jobs else ():
            self._keep(by_name[outcome.name], rung, outcome)
        for each in designs:
            self._record(space, each, rung)
        return {each.design.key: self.attempts[each.design.key].metric for each in designs}

    def _record(self, space: DesignSpace, each: Sized, rung: int) -> None:
        found = self.trials.score(each.design, rung)
        assert found is not None
        known = self.attempts.get(each.design.key)
        entry = {"rung": rung, "score": found["score"], "losses": found["losses"]}
        self.attempts[each.design.key] = Attempt(
            *(each.design, each.sizes, float(found["score"]), rung),
            groups={
                group.name: (width, group.units)
                for group, width in zip(
                    space.skeleton_of(each.design).groups, each.design.widths, strict=True
                )
            },
            history=(*(known.history if known else ()), entry),
        )

    def _is_done(self, design: Design, rung: int) -> bool:
        known = self.trials.score(design, rung) is not None
        return known and self.folder.has_graph(_name(design, rung))

    def _job(self, space: DesignSpace, design: Design, rung: int, visits: int) -> Job:
        before = self.folder.kept_graph(_name(design, rung - 1)) if rung else None
        graph = space.realise(design) if before is None else before
        return Job(
            _name(design, rung), save_graph(graph), design.inputs, visits, self._allowed(visits)
        )

    def _allowed(self, visits: int) -> float | None:
        """Seconds that a training may take on a machine that is busier than planned."""
        if self.told is not None or self.speed is None:
            return None
        return HURRY * visits * self.speed.learning + 5.0

    def _keep(self, design: Design, rung: int, outcome: Outcome) -> None:
        self.folder.keep_graph(outcome.name, outcome.graph)
        more = {"losses": list(outcome.losses), "finished": outcome.finished}
        self.trials.report(design, rung, outcome.score, more)
        self.bar.say(f"{design.origin}: {outcome.score:.2f} on validation data (rung {rung})")
        if not outcome.finished:
            self.notes.append(f"{design.origin}: the time ran out at rung {rung}.")

    def graph_of(self, space: DesignSpace, design: Design, rung: int) -> Graph:
        """What a design had learned after a rung."""
        found = self.folder.kept_graph(_name(design, rung))
        return space.realise(design) if found is None else found

    # ---- one design for longer

    def further(self, name: str, graph: Graph, design: Design, visits: int) -> Graph:
        """Train a graph for longer; kept by name, its losses in `curves`."""

        def make() -> Graph:
            job = Job(name, save_graph(graph), design.inputs, visits, self._rest())
            outcome = learn(self.lesson, job, self.bar)
            losses = self.folder.values(f"{name}-losses", lambda: list(outcome.losses))
            self.curves[name] = losses
            if not outcome.finished:
                self.notes.append(f"{name}: the time ran out in its training.")
            return load_graph(outcome.graph, OPERATORS, name)

        trained = self.folder.graph(name, make)
        if name not in self.curves:
            self.curves[name] = self.folder.values(f"{name}-losses", list)
        return trained

    def deadline(self) -> float | None:
        """``time.monotonic()`` at which the last training must end; None: never."""
        rest = self._rest()
        return None if rest is None else monotonic() + rest

    def _rest(self) -> float | None:
        return None if self.told is not None else max(5.0, self.left())


def _name(design: Design, rung: int) -> str:
    return f"designs/{design.key}-{rung}"
