"""The last judgement: integers on the sealed test part, linked and emulated sizes."""

from __future__ import annotations

import numpy as np

from netsuke.data import Dataset
from netsuke.devices import Limits
from netsuke.fit.design import Sizes
from netsuke.fit.result import Change, Flip
from netsuke.fit.sizing import LIMITS, as_array, broken
from netsuke.fit.workers import as_tuple, gaps
from netsuke.ir import Array
from netsuke.train import Evaluation


def changes(
    before: Evaluation, after: Evaluation, labels: Array, data: Dataset, limits: Limits
) -> tuple[Change, ...]:
    """What happened to each class."""
    if data.task != "classification":
        return ()
    floors = dict(limits.floors)
    found = []
    for number, name in enumerate(data.classes):
        chosen = labels == number
        if chosen.any():
            old, new = (100.0 * (1.0 - float(e.losses[chosen].mean())) for e in (before, after))
            found.append(Change(name, int(chosen.sum()), old, new, floors.get(name)))
    return tuple(found)


def flips(before: Evaluation, after: Evaluation, labels: Array, data: Dataset) -> tuple[Flip, ...]:
    """Samples on which exactly one of the two networks is right, what was lost first."""
    if data.task != "classification":
        return ()
    differing = np.flatnonzero(before.losses != after.losses)
    ordered = sorted(differing, key=lambda index: (after.losses[index] == 0, index))
    return tuple(
        Flip(int(i), int(labels[i]), int(before.predictions[i]), int(after.predictions[i]))
        for i in ordered
    )


def unmet(
    sizes: Sizes,
    wanted: Array,
    points: float,
    limits: Limits,
    after: Evaluation,
    labels: Array,
    data: Dataset,
) -> list[str]:
    """Sentences about the limits that do not hold."""
    values = dict(zip(LIMITS, as_array(sizes), strict=True))
    bounds = dict(zip(LIMITS, wanted, strict=True))
    sentences = [
        f"{name}: {values[name]:,.0f} of at most {bounds[name]:,.0f}"
        for name in broken(sizes, wanted)
    ]
    if limits.max_drop is not None and points > limits.max_drop:
        sentences.append(f"drop: {points:.2f} points of at most {limits.max_drop:g}")
    floors = as_tuple(limits.floors)
    for name, gap in gaps(after.losses, labels, data, floors).items():
        if gap > 0:
            floor = dict(floors)[name]
            sentences.append(f"class {name}: {floor - gap:.2f} points of at least {floor:g}")
    return sentences
