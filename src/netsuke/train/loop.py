"""Training a graph's weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from netsuke.data import Dataset
from netsuke.data.stored import check_match, stored_inputs
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.passes.edit import own_constants
from netsuke.train.augment import Moves, augment, moved
from netsuke.train.checkpoint import load_checkpoint, save_checkpoint
from netsuke.train.evaluate import evaluate
from netsuke.train.hints import student
from netsuke.train.loss import loss
from netsuke.train.memory import kept_memory
from netsuke.train.module import from_module, layer_weights
from netsuke.train.optimizer import Average, make_optimizer, rate
from netsuke.train.progress import Progress
from netsuke.train.recipe import Recipe
from netsuke.train.teaching import Teaching, view_moves, view_of

Held: TypeAlias = Sequence[tuple[Any, Any]]
"""Parameters, and where they are to stay 0."""

LATE = 0.15
"""Share of the time by which training may be late before it hurries."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training made.

    Attributes
    ----------
    graph
        With the new weights.
    history
        One entry an epoch: ``loss`` (mean), ``validation`` (points) where it was measured.
    finished
        False when the time ran out before the last epoch.
    """

    graph: Graph
    history: tuple[dict[str, float], ...]
    finished: bool = True


def train(
    graph: Graph,
    data: Dataset,
    recipe: Recipe | None = None,
    *,
    teacher: Graph | None = None,
    taught: Array | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    deadline: float | None = None,
    validate: bool = True,
    keep_zeros: bool = False,
    progress: Progress | None = None,
    hints: Sequence[tuple[str, str]] | None = None,
    cache: Path | str | None = None,
) -> Trained:
    """Train the weights of a float graph.

    Parameters
    ----------
    graph
        Any float graph with one input; its first output is trained, and a softmax at its end
        is left out of the loss.
    data
        Its training part is learned from; its validation part is only looked at.
    recipe
        Epochs, learning rate, seed and the rest.
    teacher
        A float graph whose scores are learned, too.
    taught
        The teacher's scores of the training samples, where they are known already: ``(n, k)``
        without augmentation, or ``(views, n, k)`` of every view (see `Recipe.views`).
    out
        Folder for a checkpoint after each epoch.
    resume
        Go on from the checkpoint in `out`, if there is one, to the same end as without a break.
    deadline
        ``time.monotonic()`` after which no further step is begun. Training that falls behind
        lowers its rate sooner, to end with a small one; training in time is not changed.
    validate
        Whether to measure the validation part after each epoch.
    keep_zeros
        Weights of layers that are 0 stay 0: connections that were pruned do not grow back.
    progress
        Where to show how far it is; None shows a bar of its own on a terminal.
    hints
        Pairs of hidden tensors (student's, teacher's) for `Recipe.hint`; None finds them.
    cache
        Folder in which the teacher's scores of each view are kept, for any number of students;
        None keeps them in `out`, or in memory.

    Raises
    ------
    UsageError
        When graph and data do not match, or the checkpoint belongs to other ones.
    """
    recipe = recipe or Recipe()
    check_match(graph, data)
    graph = own_constants(graph)
    folder = cache if cache is not None else None if out is None else Path(out) / "teacher"
    teaching = Teaching(teacher, taught, data, recipe, None if folder is None else Path(folder))
    module = student(graph, teacher, data, recipe, hints)
    key = {
        "graph": graph.fingerprint(),
        "teacher": teaching.fingerprint(),
        "data": data.fingerprint() if out is not None else "",
        "recipe": recipe.record(),
        **({"held zeros": True} if keep_zeros else {}),
    }

    def judge() -> float:
        now = from_module(module.graph, module)
        return evaluate(now, data, data.validation).metric

    history, finished = learn(
        module,
        data,
        recipe,
        teaching,
        judge if validate else None,
        Place(None if out is None else Path(out), resume, key),
        deadline,
        progress,
        zero_weights(module) if keep_zeros else (),
    )
    return Trained(from_module(graph, module), history, finished)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a training keeps its state.

    Attributes
    ----------
    folder
        Of the checkpoint; None keeps none.
    resume
        Whether to go on from a checkpoint that is there.
    key
        What a checkpoint must agree with.
    """

    folder: Path | None
    resume: bool
    key: dict[str, Any]


def learn(
    module: Any,
    data: Dataset,
    recipe: Recipe,
    teaching: Teaching,
    judge: Callable[[], float] | None,
    place: Place,
    deadline: float | None,
    progress: Progress | None,
    held: Held = (),
) -> tuple[tuple[dict[str, float], ...], bool]:
    """Move a module's parameters; return the history and whether all epochs were done.

    Parameters
    ----------
    module
        A `GraphModule`, or one that is called alike, has its `graph` and tells its `values`. It
        may have a method ``extra_loss(samples, epoch) -> (share, loss)``, asked after each
        forward step: the loss is added, and the rest of the loss multiplied by the share. Its
        method ``begin_epoch(epoch)``, if there is one, is called before each.
    judge
        Measures the module on the validation part, in points; None leaves it out.
    data, recipe, teaching, place, deadline, progress
        As for `train`.
    held
        Which elements of which parameters are put back to 0 after each step.
    """
    if progress is None:
        with Progress() as bar:
            return learn(module, data, recipe, teaching, judge, place, deadline, bar, held)
    with fixed_threads(recipe.threads), kept_memory():
        run = _Run(module, data, recipe, teaching, deadline, progress, held)
        path = None if place.folder is None else place.folder / "checkpoint.npz"
        if path and place.resume and path.exists():
            run.history = load_checkpoint(path, place.key, module, run.optimizer, run.average)
        finished = True
        if not (len(data.validation) and data.validation.targets is not None):
            judge = None
        while len(run.history) < recipe.epochs and finished:
            finished = run.epoch(len(run.history), judge)
            if path and finished:
                save_checkpoint(path, place.key, module, run.optimizer, run.history, run.average)
        run.average.exchange()
        return tuple(run.history), finished


def zero_weights(module: Any) -> Held:
    """Where the weights of a module's layers are 0 now."""
    values = module.values()
    names = layer_weights(module.graph)
    return [(values[name], values[name].detach() == 0) for name in names]


@contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Give PyTorch so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Run:
    """The state of one training."""

    def __init__(
        self,
        module: Any,
        data: Dataset,
        recipe: Recipe,
        teaching: Teaching,
        deadline: float | None,
        bar: Progress,
        held: Held,
    ) -> None:
        self.held = held
        self.module, self.data, self.recipe, self.bar = module, data, recipe, bar
        self.teaching = teaching
        self.history: list[dict[str, float]] = []
        self.started, self.deadline = time.monotonic(), deadline
        count = min(recipe.samples or len(data.train), len(data.train))
        self.steps = max(1, count // recipe.batch)
        self.optimizer = make_optimizer(module.graph.name, list(module.parameters()), recipe)
        self.average = Average(module.values(), recipe.ema)
        self.moves: Moves | None = None

    def epoch(self, number: int, judge: Callable[[], float] | None) -> bool:
        """Do one epoch; False when the time ran out within it."""
        rng = np.random.default_rng([self.recipe.seed, number])
        order = rng.permutation(len(self.data.train))
        batch = min(self.recipe.batch, len(order))
        view = view_of(number, self.recipe)
        self.moves = None if view is None else view_moves(self.data, self.recipe, view)
        total = 0.0
        self.module.train()
        if hasattr(self.module, "begin_epoch"):
            self.module.begin_epoch(number)
        for step in range(self.steps):
            if self.deadline is not None and time.monotonic() > self.deadline:
                self.module.eval()
                return False
            total += self._step(number, step, order[step * batch : (step + 1) * batch], rng)
            done = number + (step + 1) / self.steps
            self.bar.at(f"epoch {number + 1}/{self.recipe.epochs}", done, self.recipe.epochs)
        self.module.eval()
        entry = {"loss": total / self.steps}
        if not math.isfinite(entry["loss"]):
            raise UsageError(f"training diverged in epoch {number + 1}; try a smaller --lr")
        if judge is not None:
            self.average.exchange()
            entry["validation"] = judge()
            self.average.exchange()
            self.bar.say(
                f"epoch {number + 1:3d}: loss {entry['loss']:.4f}, "
                f"validation {entry['validation']:.2f}"
            )
        self.history.append(entry)
        return True

    def _step(self, epoch: int, step: int, positions: Array, rng: np.random.Generator) -> float:
        recipe, part = self.recipe, self.data.train
        for group in self.optimizer.param_groups:
            now = rate(recipe, self._place(epoch, step), recipe.epochs * self.steps)
            group["lr"] = group["pace"] * now
        samples = self._shown(part.batch(positions), positions, rng)
        targets = None if part.targets is None else part.targets[part.indices[positions]]
        outputs = self.module(torch.from_numpy(stored_inputs(self.module.graph, samples)))
        taught = self.teaching.scores(samples, positions, view_of(epoch, recipe))
        value = loss(outputs, targets, taught, self.data.task, len(self.data.classes), recipe)
        if hasattr(self.module, "extra_loss"):
            share, extra = self.module.extra_loss(samples, epoch)
            value = share * value + extra
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        self.optimizer.step()
        with torch.no_grad():
            for weights, zeros in self.held:
                weights.masked_fill_(zeros, 0.0)
        self.average.update(epoch * self.steps + step)
        return float(value.detach())

    def _shown(self, samples: Array, positions: Array, rng: np.random.Generator) -> Array:
        """Samples as this step shows them."""
        if self.recipe.views:
            return samples if self.moves is None else moved(samples, self.moves.of(positions))
        if len(samples.shape[1:]) == 3:
            return augment(samples, self.recipe.augment, rng)
        return samples

    def _place(self, epoch: int, step: int) -> int:
        """The step of the schedule: the step that is due, or a later one when time runs away."""
        steps, due = self.recipe.epochs * self.steps, epoch * self.steps + step
        if self.deadline is None:
            return due
        spent = (time.monotonic() - self.started) / max(self.deadline - self.started, 1e-3)
        late = spent > due / steps + LATE
        return max(due, min(steps, int(spent * steps))) if late else due
