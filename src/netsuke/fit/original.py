"""The model as a person brings it: tidied, trained if it only guesses, asked for labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netsuke.data import Dataset
from netsuke.errors import UsageError
from netsuke.fit.effort import Effort, Speed, measure_speed, plan_effort, with_visits
from netsuke.fit.folder import RunFolder
from netsuke.ir import Graph
from netsuke.passes import PIPELINE
from netsuke.passes.edit import own_constants
from netsuke.passes.open_groups import open_groups
from netsuke.train import Progress, Recipe, evaluate, predict, scores_graph, train
from netsuke.train.normalizations import with_normalizations

SHARE = 0.3
"""Of a run's time that training an untrained model may take."""
FOLDING = ("drop_constant_channels", "fold_batch_norm", "fold_scale")
"""Passes that wait until training is over: filters that do nothing yet may learn, too."""


def require_float(graph: Graph) -> None:
    """Refuse a graph of integers.

    Raises
    ------
    UsageError
        Saying what to give instead.
    """
    if any(tensor.quant is not None for tensor in graph.tensors.values()):
        raise UsageError(
            f"{graph.name} is quantized already; fit trains, so it needs the float model that "
            "this one was made from (.onnx, float .tflite, .pt2, or a name of the zoo)"
        )


def prepared(graph: Graph) -> Graph:
    """The graph with tidy layouts, its channels free, its batch normalizations left to train."""
    for step in PIPELINE:
        if step.__name__ not in FOLDING:
            graph = step(graph)
    return own_constants(open_groups(graph))


def guesses(graph: Graph, data: Dataset) -> bool:
    """Whether validation does not tell a model from one that always gives the same answer."""
    part = data.validation
    metric = evaluate(graph, data, part).metric
    if data.task == "regression":
        return metric <= 5.0
    counts = np.bincount(part.labels, minlength=len(data.classes))
    share = float(counts.max()) / len(part)
    return metric <= 100.0 * (share + 3.0 * np.sqrt(share * (1.0 - share) / len(part)))


def original(
    graph: Graph,
    data: Dataset,
    recipe: Recipe,
    folder: RunFolder,
    time: float,
    told: Effort | None,
    bar: Progress,
) -> Graph:
    """Return the model prepared for cutting, and trained first if it only guesses.

    Batch normalizations that its file had folded away are put back (`with_normalizations`).

    Parameters
    ----------
    graph, data, recipe
        What is trained, on what, and how.
    folder
        Keeps the training's checkpoints.
    time
        Seconds of the whole run.
    told
        Effort that a person asked for, in place of what the time allows.
    bar
        Shows how far it is.
    """
    graph = with_normalizations(prepared(graph), data.train)
    if data.task == "unlabelled" or not guesses(graph, data):
        return graph
    bar.say("the model scores like guessing: training it first")
    effort = told or _effort(graph, data, SHARE * time, recipe)
    return train(
        graph,
        replace(data, train=data.train.take(effort.samples)),
        with_visits(recipe, effort.final, effort.samples),
        out=folder.inside("original"),
        resume=True,
        deadline=None if told else folder.started + 1.2 * SHARE * time,
        progress=bar,
    ).graph


def _effort(graph: Graph, data: Dataset, seconds: float, recipe: Recipe) -> Effort:
    """All of the seconds for one training, without a teacher."""
    speed = Speed(measure_speed(graph, data, graph, data, recipe).learning, 0.0)
    return plan_effort(speed, len(data.train), seconds, designs=0)


def labelled(graph: Graph, data: Dataset) -> Dataset:
    """The data with a model's answers as labels, so that the metric is agreement with it."""
    plain = scores_graph(graph)
    answers = np.zeros(len(data.train.stored), np.int64)
    for part in data.parts.values():
        answers[part.indices] = predict(plain, part).argmax(axis=1)
    train_part, validation, test = (replace(p, targets=answers) for p in data.parts.values())
    return replace(
        data,
        train=train_part,
        validation=validation,
        test=test,
        classes=tuple(map(str, range(plain.tensors[plain.outputs[0]].elements))),
        task="classification",
    )
