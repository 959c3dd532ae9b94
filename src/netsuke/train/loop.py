"""Training a graph's weights."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from netsuke.data import Dataset
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.passes.edit import own_constants
from netsuke.train.augment import augment
from netsuke.train.checkpoint import load_checkpoint, save_checkpoint
from netsuke.train.evaluate import check_match, evaluate, predict, stored_inputs
from netsuke.train.loss import loss
from netsuke.train.memory import kept_memory
from netsuke.train.module import GraphModule, from_module, scores_graph, to_module
from netsuke.train.progress import Progress
from netsuke.train.recipe import Recipe

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
    progress: Progress | None = None,
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
        The teacher's scores of the training samples, where they are known already ``(n, k)``;
        not with augmentation.
    out
        Folder for a checkpoint after each epoch.
    resume
        Go on from the checkpoint in `out`, if there is one, to the same end as without a break.
    deadline
        ``time.monotonic()`` after which no further step is begun. Training that falls behind
        lowers its rate sooner, to end with a small one; training in time is not changed.
    validate
        Whether to measure the validation part after each epoch.
    progress
        Where to show how far it is; None shows a bar of its own on a terminal.

    Raises
    ------
    UsageError
        When graph and data do not match, or the checkpoint belongs to other ones.
    """
    recipe = recipe or Recipe()
    if progress is None:
        with Progress() as bar:
            return train(
                graph,
                data,
                recipe,
                teacher=teacher,
                taught=taught,
                out=out,
                resume=resume,
                deadline=deadline,
                validate=validate,
                progress=bar,
            )
    check_match(graph, data)
    graph = own_constants(graph)
    with fixed_threads(recipe.threads), kept_memory():
        run = _Run(graph, data, recipe, teacher, deadline, progress)
        run.taught = taught
        path = None if out is None else Path(out) / "checkpoint.npz"
        key = run.key() if path else {}
        if path and resume and path.exists():
            run.history = load_checkpoint(path, key, run.module, run.optimizer)
        finished = True
        while len(run.history) < recipe.epochs and finished:
            finished = run.epoch(len(run.history), validate)
            if path and finished:
                save_checkpoint(path, key, run.module, run.optimizer, run.history)
        return Trained(from_module(graph, run.module), tuple(run.history), finished)


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
        graph: Graph,
        data: Dataset,
        recipe: Recipe,
        teacher: Graph | None,
        deadline: float | None,
        bar: Progress,
    ) -> None:
        self.graph, self.data, self.recipe, self.bar = graph, data, recipe, bar
        self.teacher_graph = teacher
        self.module = to_module(scores_graph(graph))
        self.teacher = None if teacher is None else to_module(scores_graph(teacher)).eval()
        self.taught: Array | None = None
        self.history: list[dict[str, float]] = []
        self.started, self.deadline = time.monotonic(), deadline
        count = min(recipe.samples or len(data.train), len(data.train))
        self.steps = max(1, count // recipe.batch)
        self.optimizer = _optimizer(self.module, recipe)

    def key(self) -> dict[str, Any]:
        """What a checkpoint must agree with."""
        teacher = "" if self.teacher_graph is None else self.teacher_graph.fingerprint()
        if self.taught is not None:
            teacher = hashlib.sha256(np.ascontiguousarray(self.taught).tobytes()).hexdigest()
        return {
            "graph": self.graph.fingerprint(),
            "teacher": teacher,
            "data": self.data.fingerprint(),
            "recipe": self.recipe.record(),
        }

    def epoch(self, number: int, validate: bool) -> bool:
        """Do one epoch; False when the time ran out within it."""
        rng = np.random.default_rng([self.recipe.seed, number])
        order = rng.permutation(len(self.data.train))
        batch = min(self.recipe.batch, len(order))
        total = 0.0
        self.module.train()
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
        if validate and len(self.data.validation) and self.data.validation.targets is not None:
            now = from_module(self.module.graph, self.module)
            entry["validation"] = evaluate(now, self.data, self.data.validation).metric
            self.bar.say(
                f"epoch {number + 1:3d}: loss {entry['loss']:.4f}, "
                f"validation {entry['validation']:.2f}"
            )
        self.history.append(entry)
        return True

    def _step(self, epoch: int, step: int, positions: Array, rng: np.random.Generator) -> float:
        recipe, part = self.recipe, self.data.train
        for group in self.optimizer.param_groups:
            group["lr"] = _rate(recipe, self._place(epoch, step), recipe.epochs * self.steps)
        samples = part.batch(positions)
        if len(samples.shape[1:]) == 3:
            samples = augment(samples, recipe.augment, rng)
        targets = None if part.targets is None else part.targets[part.indices[positions]]
        outputs = self.module(_tensor(self.module, samples))
        taught = self._teach(samples, positions)
        value = loss(outputs, targets, taught, self.data.task, len(self.data.classes), recipe)
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        self.optimizer.step()
        return float(value.detach())

    def _place(self, epoch: int, step: int) -> int:
        """The step of the schedule: the step that is due, or a later one when time runs away."""
        steps, due = self.recipe.epochs * self.steps, epoch * self.steps + step
        if self.deadline is None:
            return due
        spent = (time.monotonic() - self.started) / max(self.deadline - self.started, 1e-3)
        late = spent > due / steps + LATE
        return max(due, min(steps, int(spent * steps))) if late else due

    def _teach(self, samples: Array, positions: Array) -> Any:
        """The teacher's scores; without augmentation they are computed once and kept."""
        if self.taught is not None and self.recipe.augment == "none":
            return torch.from_numpy(self.taught[positions])
        if self.teacher is None:
            return None
        with torch.no_grad():
            if self.recipe.augment != "none":
                return self.teacher(_tensor(self.teacher, samples))
            assert self.teacher_graph is not None
            self.taught = predict(scores_graph(self.teacher_graph), self.data.train)
            return torch.from_numpy(self.taught[positions])


def _tensor(module: GraphModule, samples: Array) -> Any:
    return torch.from_numpy(stored_inputs(module.graph, samples))


def _rate(recipe: Recipe, step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    if step < warm:
        return recipe.lr * (step + 1) / warm
    return recipe.lr * 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _optimizer(module: GraphModule, recipe: Recipe) -> Any:
    parameters = list(module.parameters())
    if not parameters:
        raise UsageError(f"{module.graph.name} has no weights to train")
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=recipe.lr)
