"""Hints from a teacher's hidden layers (FitNets, Romero et al. 2015, arXiv:1412.6550).

A regressor r, linear on channels, maps a guided tensor of the student to the hint of the teacher;
both learn to make the error small, relative to the hint's own variance (eq. 3 of the paper)::

    L_hint = mean over pairs of  mean((r(student) - hint)²) / var(hint)

Stage 1 learns nothing else for some epochs; then the usual loss is learned, with the hint's loss
added at a weight (`Recipe.hint_epochs`, `Recipe.hint`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from netsuke.data import Dataset
from netsuke.data.stored import check_match, stored_inputs
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.train.module import scores_graph, to_module
from netsuke.train.recipe import Recipe

Pair = tuple[str, str]

MOST = 3
"""Pairs that are found by themselves; each costs a regressor, and later ones say little more."""


def student(
    graph: Graph,
    teacher: Graph | None,
    data: Dataset,
    recipe: Recipe,
    pairs: Sequence[Pair] | None,
) -> Any:
    """The module that learns: of the graph's scores, and with regressors if hints are wanted.

    Raises
    ------
    UsageError
        When hints are wanted without a teacher, or a pair does not match.
    """
    scores = scores_graph(graph)
    if recipe.hint == 0.0 and recipe.hint_epochs == 0:
        if pairs:
            raise UsageError("pairs of hints are given, but the recipe has hint=0")
        return to_module(scores)
    if teacher is None:
        raise UsageError("hints come from a teacher's hidden layers; give the teacher")
    check_match(teacher, data)
    guide = scores_graph(teacher)
    chosen = tuple(pairs) if pairs else find_pairs(scores, guide)
    if not chosen:
        raise UsageError(
            f"no hidden tensor of {graph.name} has the height and width of one of {teacher.name}; "
            "name pairs, or learn without hints"
        )
    return Hinted(scores, guide, chosen, recipe)


def find_pairs(student: Graph, teacher: Graph) -> tuple[Pair, ...]:
    """Up to three pairs of hidden tensors that can guide, spread over the depth of the student.

    Where the teacher has a tensor of the same name and the same extents but for channels (the
    student is a cut of it), these are a pair. Else the last image of each height and width is
    paired with the teacher's last of the same; only layers' outputs count.
    """
    ours, theirs = _hidden(student), _hidden(teacher)
    same = [(name, name) for name, shape in ours.items() if theirs.get(name, ())[:-1] == shape[:-1]]
    if not same:
        last = {shape[:-1]: name for name, shape in theirs.items()}
        same = [
            (name, last[extent])
            for extent, name in {shape[:-1]: name for name, shape in ours.items()}.items()
            if extent in last
        ]
    count = min(MOST, len(same))
    return tuple(same[(index + 1) * len(same) // (count + 1)] for index in range(count))


def _hidden(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Images ``(h, w, c)`` between layers, in order; those of one pixel say nothing of places."""
    return {
        name: graph.tensors[name].shape
        for node in graph.nodes
        for name in node.outputs
        if len(graph.tensors[name].shape) == 3
        and max(graph.tensors[name].shape[:2]) > 1
        and name not in graph.outputs
    }


class Hinted(torch.nn.Module):
    """A student with regressors from its guided tensors to the teacher's hints.

    Called like the student's own module; `extra_loss` then tells the hints' loss of the batch.
    """

    def __init__(
        self, student: Graph, teacher: Graph, pairs: Sequence[Pair], recipe: Recipe
    ) -> None:
        super().__init__()
        shapes = [_matched(student, teacher, pair) for pair in pairs]
        self.graph, self.recipe = student, recipe
        self.student = to_module(_showing(student, [ours for ours, _ in pairs]))
        # Not a submodule: its weights are neither learned nor kept.
        self.teacher = (to_module(_showing(teacher, [theirs for _, theirs in pairs])).eval(),)
        generator = torch.Generator().manual_seed(recipe.seed)
        self.regressors = torch.nn.ParameterList(
            torch.nn.Parameter(
                torch.randn(theirs, ours, generator=generator) * (1.0 / max(ours, 1)) ** 0.5
            )
            for ours, theirs in shapes
        )
        self.guided: list[Any] = []

    def values(self) -> dict[str, Any]:
        """The student's tensors, and the regressors under names that no tensor has."""
        found = {f"\0regressor {i}": value for i, value in enumerate(self.regressors)}
        return {**self.student.values(), **found}

    def forward(self, *inputs: Any) -> Any:
        """The student's scores; its guided tensors are kept for `extra_loss`."""
        scores, *self.guided = self.student(*inputs)
        return scores

    def extra_loss(self, samples: Array, epoch: int) -> tuple[float, Any]:
        """The share of the usual loss, and the loss of the hints times its weight."""
        (teacher,) = self.teacher
        stage_one = epoch < self.recipe.hint_epochs
        weight = 1.0 if stage_one else self.recipe.hint
        if weight == 0.0:
            return 1.0, 0.0
        with torch.no_grad():
            _, *hints = teacher(torch.from_numpy(stored_inputs(teacher.graph, samples)))
        total: Any = 0.0
        for hint, guided, regressor in zip(hints, self.guided, self.regressors, strict=True):
            error = torch.nn.functional.mse_loss(guided @ regressor.t(), hint)
            total = total + error / hint.var().clamp_min(1e-12)
        return 0.0 if stage_one else 1.0, weight * total / len(hints)


def _showing(graph: Graph, names: list[str]) -> Graph:
    """The graph with hidden tensors among its outputs."""
    return replace(graph, outputs=(graph.outputs[0], *names))


def _matched(student: Graph, teacher: Graph, pair: Pair) -> tuple[int, int]:
    """Channels of a pair's two tensors."""
    shapes = []
    for graph, name in zip((student, teacher), pair, strict=True):
        tensor = graph.tensors.get(name)
        if tensor is None or tensor.is_constant or not tensor.shape:
            raise UsageError(f"{graph.name} has no hidden tensor {name!r} for a hint")
        shapes.append(tensor.shape)
    if shapes[0][:-1] != shapes[1][:-1]:
        raise UsageError(
            f"hint {pair[1]!r} is {list(shapes[1])}, {pair[0]!r} is {list(shapes[0])}; "
            "a pair may differ in channels only"
        )
    return shapes[0][-1], shapes[1][-1]
