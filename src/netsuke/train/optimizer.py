"""Which parameters move, how far, and when."""

from __future__ import annotations

import math
from typing import Any

import torch

from netsuke.errors import UsageError
from netsuke.train.recipe import Recipe


def make_optimizer(name: str, parameters: list[Any], recipe: Recipe) -> Any:
    """The recipe's optimizer; parameters with one axis or none do not decay.

    A parameter's attribute ``pace``, where it has one, multiplies its learning rate: Adam's steps
    are as long as the rate, whatever the size of the weights.

    Parameters
    ----------
    name
        Of the network, for the error when it has nothing to train.
    parameters
        What the optimizer moves.
    recipe
        Says how.
    """
    if not parameters:
        raise UsageError(f"{name} has no weights to train")
    kinds: dict[tuple[bool, float], list[Any]] = {}
    for parameter in parameters:
        kinds.setdefault((parameter.ndim <= 1, pace_of(parameter)), []).append(parameter)
    groups = [
        {"params": members, "weight_decay": 0.0 if flat else recipe.weight_decay, "pace": pace}
        for (flat, pace), members in sorted(kinds.items(), key=lambda kind: kind[0])
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=recipe.lr)


def pace_of(parameter: Any) -> float:
    """What multiplies a parameter's learning rate."""
    return float(getattr(parameter, "pace", 1.0))


def rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate of a step: a short rise, then half a cosine; see `Recipe.lr`."""
    warm = max(1, steps // 20)
    if step < warm:
        return recipe.lr * (step + 1) / warm
    return recipe.lr * 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


class Average:
    """The moving average of a network's weights (Polyak & Juditsky 1992), which errs less.

    After step t (from 0), with d = min(decay, (1 + t) / (10 + t)) so that the start is forgotten::

        average ← d · average + (1 - d) · weights

    Parameters
    ----------
    values
        The network's tensors by name; those of floats are averaged.
    decay
        0: no average is kept.
    """

    def __init__(self, values: dict[str, Any], decay: float) -> None:
        self.values = {n: v for n, v in values.items() if v.is_floating_point()} if decay else {}
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in self.values.items()}

    def update(self, step: int) -> None:
        """Take the weights after a step into account."""
        share = 1.0 - min(self.decay, (1.0 + step) / (10.0 + step))
        with torch.no_grad():
            for name, value in self.shadow.items():
                value.lerp_(self.values[name].detach(), share)

    def exchange(self) -> None:
        """Put the average into the network and keep the network's weights, or the other way."""
        with torch.no_grad():
            for name, value in self.values.items():
                kept = value.detach().clone()
                value.copy_(self.shadow[name])
                self.shadow[name].copy_(kept)
