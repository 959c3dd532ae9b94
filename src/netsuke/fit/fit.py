"""From a model, data and limits to the smallest loss that holds them."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from netsuke.data import Dataset
from netsuke.devices import Device, Limits
from netsuke.errors import DataError, UsageError
from netsuke.fit.cost import QuickCost
from netsuke.fit.drop import paired_drop
from netsuke.fit.effort import PROBE, SHARE, Effort, plan_effort, with_visits
from netsuke.fit.folder import RunFolder
from netsuke.fit.importance import magnitude, taylor
from netsuke.fit.measure import Shipped, evaluate_integers, ship
from netsuke.fit.result import Attempt, FitResult
from netsuke.fit.shrink import Shrinker
from netsuke.fit.sizing import Sized, Sizer, as_array, broken, targets
from netsuke.fit.space import Candidate, ChannelSpace, Sizes
from netsuke.ir import Array, Graph
from netsuke.passes import PIPELINE
from netsuke.train import (
    Progress,
    Recipe,
    check_match,
    evaluate,
    fixed_threads,
    predict,
    scores_graph,
    train,
)
from netsuke.train.files import write_json
from netsuke.train.module import own_constants

WAYS = ("taylor", "relative taylor", "relative magnitude")
"""Ideas of which channels go first; each makes one candidate."""
JUDGED = 2000  # validation samples that choose among candidates
MOST_ROUNDS = 4  # of training the chosen candidate
MUCH = 0.25  # share of the time that is worth another round
HALVINGS = 6  # steps of a search for the smallest network within a drop


def fit(
    graph: Graph,
    data: Dataset,
    device: Device,
    limits: Limits | None = None,
    *,
    seed: int = 0,
    time: float = 120.0,
    out: Path | str | None = None,
    resume: bool = False,
    epochs: int | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> FitResult:
    """Shrink a float model until it holds the limits, with the smallest drop that was found.

    Channels are cut where they matter least, several ways; each candidate holds the limits
    exactly (its integers are compiled and planned), learns from the original for a while, and
    the best on validation data learns for the rest of the time. Its integers are then judged on
    the test part, which nothing before has seen.

    Parameters
    ----------
    graph
        A float graph with one input, from any frontend or the zoo. One that scores like
        guessing is trained first.
    data
        Training, validation and test part; without labels the original's answers are the labels.
    device
        Its memories are limits, too.
    limits
        Flash, RAM, instructions or latency, and the largest drop. With a drop alone the smallest
        network within it is searched for, by halving the flash.
    seed
        Same seed, threads and epochs: same result.
    time
        Seconds; training ends when they are used up.
    out
        Folder of the run: state, candidates, the small graph, its C, ``result.json``.
    resume
        Go on with the run in `out`.
    epochs
        Of the final training, in place of what the time allows; makes a run independent of the
        machine's speed.
    recipe
        How weights are trained (batch, rate, augmentation, threads).

    Returns
    -------
    FitResult
        With `met` False when the drop is larger than asked for.

    Raises
    ------
    LimitsNotMetError
        When not even one channel in every layer holds a limit; says which node is in the way.
    UsageError
        When the model is not float, or does not match the data.
    """
    recipe = recipe or Recipe(seed=seed)
    limits = limits or Limits()
    _require_float(graph)
    check_match(graph, data)
    for name, part in data.parts.items():
        if not len(part):
            raise DataError(data.name, f"has no {name} samples; fit needs all three parts")
    key = {
        "model": graph.fingerprint(),
        "data": data.fingerprint(),
        "device": device.id,
        "limits": asdict(limits),
        "recipe": recipe.record(),
        "seed": seed,
        "epochs": epochs,
        "time": time,
    }
    folder = RunFolder(None if out is None else Path(out), key, resume)
    with fixed_threads(recipe.threads), progress or Progress() as bar:
        return _Fit(graph, data, device, limits, folder, recipe, time, epochs, bar).run()


def _require_float(graph: Graph) -> None:
    if any(tensor.quant is not None for tensor in graph.tensors.values()):
        raise UsageError(
            f"{graph.name} is quantized already; fit trains, so it needs the float model that "
            "this one was made from (.onnx, float .tflite, .pt2, or a name of the zoo)"
        )


def prepared(graph: Graph) -> Graph:
    """The graph with tidy layouts, its batch normalizations left in place for training."""
    for step in PIPELINE:
        if step.__name__ not in ("fold_batch_norm", "fold_scale"):
            graph = step(graph)
    return own_constants(graph)


class _Fit:
    """One run."""

    def __init__(
        self,
        graph: Graph,
        data: Dataset,
        device: Device,
        limits: Limits,
        folder: RunFolder,
        recipe: Recipe,
        time: float,
        epochs: int | None,
        bar: Progress,
    ) -> None:
        self.given, self.data, self.device, self.limits = graph, data, device, limits
        self.folder, self.recipe, self.bar = folder, recipe, bar
        self.time, self.epochs = time, epochs
        self.notes: list[str] = []
        self.attempts: list[Attempt] = []

    def _deadline(self, short: bool) -> float | None:
        """``time.monotonic()`` at which a training must end.

        A probe may take twice its share, or a busy machine would leave nothing to the last one.
        """
        if self.epochs is not None:
            return None
        now = monotonic()
        left = self.folder.started + SHARE * self.time - self.folder.before - now
        return now + (min(left, 2 * PROBE * SHARE * self.time) if short else left)

    def run(self) -> FitResult:
        original = self.folder.graph("original", self._original)
        if self.data.train.targets is None:
            self._label(original)
        wanted = targets(self.limits, self.device)
        space = ChannelSpace(original)
        sizer = Sizer(space, self.data, self.device)
        self.bar.at("sizes of the original and of the smallest", 0, 1)
        self.original_sizes = sizer.sizes(space.whole())
        if broken(self.original_sizes, wanted):
            sizer.require_possible(wanted)
            chosen, graph = self._shrink(original, sizer, wanted)
        elif self.limits.max_drop is not None and self._free():
            chosen, graph = self._smallest(original, sizer, wanted)
        else:
            chosen, graph = space.whole(), original
            self.notes.append("The original's integers hold all limits; nothing was cut.")
        return self._result(original, space, chosen, graph, wanted)

    def _free(self) -> bool:
        """Whether the drop is the only limit that a person gave."""
        return all(getattr(self.limits, name) is None for name in ("flash", "ram", "instructions"))

    def _original(self) -> Graph:
        """The model, trained first if it only guesses."""
        graph = prepared(self.given)
        if self.data.task == "unlabelled" or not self._guesses(graph):
            return graph
        self.bar.say("the model scores like guessing: training it first")
        if self.epochs is not None:
            effort = self._told()
        else:
            effort = plan_effort(graph, graph, self.data, 0.3 * self.time, 0, self.recipe)
        trained = train(
            graph,
            replace(self.data, train=self.data.train.take(effort.samples)),
            with_visits(self.recipe, effort.final, effort.samples),
            out=self.folder.inside("original"),
            resume=True,
            deadline=self.folder.started + 0.35 * self.time if self.epochs is None else None,
            progress=self.bar,
        )
        return trained.graph

    def _guesses(self, graph: Graph) -> bool:
        """Whether validation does not tell the model from one that always says the same."""
        part = self.data.validation
        metric = evaluate(graph, self.data, part).metric
        if self.data.task == "regression":
            return metric <= 5.0
        counts = np.bincount(part.labels, minlength=len(self.data.classes))
        share = float(counts.max()) / len(part)
        return metric <= 100.0 * (share + 3.0 * np.sqrt(share * (1.0 - share) / len(part)))

    def _label(self, original: Graph) -> None:
        """Without labels, agreement with the original is the metric."""
        self.notes.append("The data have no labels: the metric is agreement with the original.")
        plain = scores_graph(original)
        part = self.data.train
        answers = np.zeros(len(part.stored), np.int64)
        for each in self.data.parts.values():
            answers[each.indices] = predict(plain, each).argmax(axis=1)
        classes = tuple(map(str, range(plain.tensors[plain.outputs[0]].elements)))
        train_part, validation, test = (
            replace(each, targets=answers) for each in self.data.parts.values()
        )
        self.data = replace(
            self.data,
            train=train_part,
            validation=validation,
            test=test,
            classes=classes,
            task="classification",
        )

    def _shrink(self, original: Graph, sizer: Sizer, wanted: Array) -> tuple[Candidate, Graph]:
        """The best of several candidates that hold the limits."""
        sized = self._candidates(original, sizer, wanted)
        best, student = self._train_all(original, sizer.space, sized)
        return best, self._finish(original, student)

    def _candidates(self, original: Graph, sizer: Sizer, wanted: Array) -> list[Sized]:
        """One candidate a way, without those that came out alike."""
        sized: list[Sized] = []
        for number, way in enumerate(WAYS):
            self.bar.at(f"choosing channels by {way}", number, len(WAYS))
            shrinker = self._shrinker(original, sizer.space, way)
            found = sizer.narrow(shrinker, wanted, way)
            if all(found.candidate.kept != other.candidate.kept for other in sized):
                sized.append(found)
        return sized

    def _shrinker(self, original: Graph, space: ChannelSpace, way: str) -> Shrinker:
        groups = space.groups
        if way.endswith("taylor"):
            flat = self.folder.array(
                "taylor", lambda: np.concatenate(taylor(original, groups, self.data))
            )
            importance = tuple(np.split(flat, np.cumsum([group.units for group in groups])[:-1]))
        else:
            importance = magnitude(original, groups)
        return Shrinker(QuickCost(original, groups), importance, way.startswith("relative"))

    def _plan(self, original: Graph, student: Graph, probes: int) -> Effort:
        """How much to train: from the time that is left, or as told; kept for a resumed run."""
        if self.epochs is not None:
            self.effort = self._told()
            return self.effort

        def make() -> dict[str, Any]:
            left = SHARE * self.time - self.folder.elapsed
            plan = plan_effort(original, student, self.data, left, probes, self.recipe)
            return plan.record()

        self.effort = Effort(**self.folder.values("effort", make))
        return self.effort

    def _told(self) -> Effort:
        """The effort of a person who gave the epochs."""
        count = len(self.data.train)
        return Effort(count, max(1, (self.epochs or 0) // 8) * count, (self.epochs or 0) * count)

    def _train_all(
        self, original: Graph, space: ChannelSpace, sized: list[Sized]
    ) -> tuple[Candidate, Graph]:
        """Train every candidate for a while; return the best on validation data."""
        students = [space.realise(each.candidate) for each in sized]
        effort = self._plan(original, students[0], len(sized) if len(sized) > 1 else 0)
        self._teach(original, effort)
        if len(sized) == 1:
            return sized[0].candidate, students[0]
        for number, (each, student) in enumerate(zip(sized, students, strict=True)):
            flash, ram = each.sizes.flash, each.sizes.ram
            self.bar.say(f"{each.candidate.origin}: {flash:,} B flash, {ram:,} B RAM")
            students[number] = self._attempt(f"candidate{number}", each, student, effort.probe)
        best = max(range(len(sized)), key=lambda index: self.attempts[index].metric)
        return sized[best].candidate, students[best]

    def _attempt(self, name: str, each: Sized, student: Graph, visits: int) -> Graph:
        graph = self.folder.graph(name, lambda: self._learn(name, student, visits, short=True))
        metric = self._scored(name, graph)
        self.attempts.append(
            Attempt(each.candidate.origin, each.candidate.widths, each.sizes, metric)
        )
        return graph

    def _metric(self, shipped: Shipped) -> float:
        """Points of a candidate's integers on the search's data."""
        return evaluate_integers(shipped, self.data, self.data.validation.take(JUDGED)).metric

    def _teach(self, original: Graph, effort: Effort, name: str = "taught") -> None:
        """Compute the original's scores of the samples that are used, once."""
        self.subset = replace(self.data, train=self.data.train.take(effort.samples))
        self.taught = None
        if self.recipe.augment == "none":
            self.taught = self.folder.array(
                name, lambda: predict(scores_graph(original), self.subset.train)
            )
        self.teacher = original

    def _learn(self, name: str, student: Graph, visits: int, short: bool = False) -> Graph:
        """Let a candidate learn from the original; one that is to be short may not take long."""
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

    def _finish(self, original: Graph, student: Graph) -> Graph:
        """Train the chosen candidate for the rest of the time.

        The plan may have been cautious, since the machine was busy when it was made: while much
        time is left, training goes on, and what is better on validation data stays.
        """
        graph = self.folder.graph("small", lambda: self._learn("small", student, self.effort.final))
        metric = self._scored("small", graph)
        for number in range(1, MOST_ROUNDS):
            plan = self._further(f"effort{number}", original, graph)
            if plan is None:
                break
            self._teach(original, plan, f"taught{number}")
            name = f"small{number}"
            further = self.folder.graph(name, partial(self._learn, name, graph, plan.final))
            following = self._scored(name, further)
            if following >= metric:
                graph, metric = further, following
        return graph

    def _scored(self, name: str, graph: Graph) -> float:
        metric: float = self.folder.values(
            f"{name}-metric", lambda: self._metric(ship(graph, self.data, self.device))
        )
        self.bar.say(f"{name}: {metric:.2f} on validation data")
        return metric

    def _further(self, name: str, original: Graph, student: Graph) -> Effort | None:
        """A plan for the time that is left, if that is much; kept for a resumed run."""

        def make() -> dict[str, Any]:
            left = SHARE * self.time - self.folder.elapsed
            if self.epochs is not None or left < MUCH * self.time:
                return {}
            return plan_effort(original, student, self.data, left, 0, self.recipe).record()

        record = self.folder.values(name, make)
        return Effort(**record) if record else None

    def _smallest(self, original: Graph, sizer: Sizer, wanted: Array) -> tuple[Candidate, Graph]:
        """The smallest network within the drop: halve the flash until validation says stop."""
        assert self.limits.max_drop is not None
        space = sizer.space
        base = evaluate(original, self.data, self.data.validation.take(JUDGED)).metric
        shrinker = self._shrinker(original, space, "relative taylor")
        effort = self._plan(original, original, HALVINGS // 2)
        self._teach(original, effort)
        least = as_array(sizer.sizes(space.smallest()))[0]
        trained, best, flash = original, space.whole(), float(self.original_sizes.flash)
        for number in range(HALVINGS):
            flash /= 2.0
            if flash <= least:
                break
            each = sizer.narrow(
                shrinker, np.minimum(wanted, [flash, np.inf, np.inf]), f"1/{2 << number}"
            )
            student = space.realise(each.candidate)
            student = self._attempt(f"candidate{number}", each, student, effort.probe)
            # A short training shows about two points less than a whole one.
            if base - self.attempts[-1].metric > self.limits.max_drop + 2.0:
                break
            best, trained = each.candidate, student
        if best.widths == space.whole().widths:
            self.notes.append("No smaller network stayed within the drop; nothing was cut.")
            return best, original
        return best, self._finish(original, trained)

    def _result(
        self, original: Graph, space: ChannelSpace, chosen: Candidate, graph: Graph, wanted: Array
    ) -> FitResult:
        """Judge on the sealed part, once."""
        self.bar.at("judging the integers on the test part", 0, 1)
        shipped = ship(graph, self.data, self.device)
        small = evaluate_integers(shipped, self.data, self.data.test)
        judged = self.data.test.take(len(small.losses))
        before = evaluate(original, self.data, judged)
        drop = paired_drop(before.losses, small.losses)
        unmet = self._unmet(shipped.sizes, wanted, drop.points)
        result = FitResult(
            met=not unmet,
            unmet=tuple(unmet),
            graph=graph,
            quantized=shipped.quantized,
            artifact=shipped.artifact,
            sizes=shipped.sizes,
            original_sizes=self.original_sizes,
            metric=small.metric,
            original_metric=before.metric,
            drop=drop,
            widths={
                group.name: (group.units, width)
                for group, width in zip(space.groups, chosen.widths, strict=True)
            },
            attempts=tuple(self.attempts),
            limits=self.limits,
            notes=tuple(self.notes),
            effort=self.effort.record() if hasattr(self, "effort") else {},
            seed=self.recipe.seed,
            seconds=self.folder.elapsed,
        )
        self._keep(result)
        return result

    def _unmet(self, sizes: Sizes, wanted: Array, points: float) -> list[str]:
        values = dict(zip(("flash", "ram", "instructions"), as_array(sizes), strict=True))
        bounds = dict(zip(values, wanted, strict=True))
        unmet = [
            f"{name}: {values[name]:,.0f} of at most {bounds[name]:,.0f}"
            for name in broken(sizes, wanted)
        ]
        most = self.limits.max_drop
        if most is not None and points > most:
            unmet.append(f"drop: {points:.2f} points of at most {most:g}")
        return unmet

    def _keep(self, result: FitResult) -> None:
        path = self.folder.folder
        if path is not None:
            result.artifact.write(path / "firmware")
            write_json(path / "result.json", result.as_json())
