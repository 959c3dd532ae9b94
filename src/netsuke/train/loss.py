"""What training makes small."""

from __future__ import annotations

from typing import Any

import torch

from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.train.recipe import Recipe


def class_scores(outputs: Any, classes: int) -> Any:
    """Scores ``(n, classes)`` of a network's outputs; one output for two classes is a log-odds.

    Raises
    ------
    DataError
        When there are more classes than scores.
    """
    scores = outputs.reshape(outputs.shape[0], -1)
    if scores.shape[1] == 1 and classes == 2:
        scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
    if scores.shape[1] < classes:
        raise DataError("data", f"has {classes} classes, the network has {scores.shape[1]} scores")
    return scores


def loss(
    outputs: Any, targets: Array | None, taught: Any, task: str, classes: int, recipe: Recipe
) -> Any:
    """The loss of a batch; see `Recipe` for the formula.

    Parameters
    ----------
    outputs
        Of the network that learns, ``(n, …)``.
    targets
        Class numbers or real targets, or None.
    taught
        Outputs of a teacher for the same samples, or None.
    task, classes
        Of the data set.
    recipe
        Temperature, smoothing and share of the teacher.
    """
    if targets is None and taught is None:
        raise DataError("data", "has no labels and there is no teacher; nothing can be learned")
    if task == "regression":
        return _regression(outputs, targets, taught, recipe)
    total = outputs.new_zeros(())
    share = 0.0 if taught is None else 1.0 if targets is None else recipe.distill
    if share < 1.0:
        total = (1.0 - share) * torch.nn.functional.cross_entropy(
            class_scores(outputs, classes),
            torch.from_numpy(targets),
            label_smoothing=recipe.smoothing,
        )
    if share > 0.0:
        t = recipe.temperature
        student = torch.log_softmax(class_scores(outputs, classes) / t, dim=1)
        teacher = torch.log_softmax(class_scores(taught, classes) / t, dim=1)
        total = total + share * t * t * torch.nn.functional.kl_div(
            student, teacher, reduction="batchmean", log_target=True
        )
    return total


def _regression(outputs: Any, targets: Array | None, taught: Any, recipe: Recipe) -> Any:
    flat = outputs.reshape(outputs.shape[0], -1)
    share = 0.0 if taught is None else 1.0 if targets is None else recipe.distill
    total = flat.new_zeros(())
    if targets is not None and share < 1.0:
        wanted = torch.from_numpy(targets).reshape(flat.shape[0], -1)
        if wanted.shape != flat.shape:
            raise DataError(
                "data", f"has {wanted.shape[1]} targets a sample, the network {flat.shape[1]}"
            )
        total = (1.0 - share) * torch.nn.functional.mse_loss(flat, wanted)
    if taught is not None and share > 0.0:
        total = total + share * torch.nn.functional.mse_loss(flat, taught.reshape(flat.shape))
    return total
