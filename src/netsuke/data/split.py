"""Choosing samples: stratified, deterministic by seed, groups kept together."""

from __future__ import annotations

import numpy as np

from netsuke.errors import DataError
from netsuke.ir import Array


def mixed_order(targets: Array | None, count: int, seed: int) -> Array:
    """Return positions in a random order in which every prefix holds the classes in proportion.

    The k-th sample (at random) of a class of n comes at (k + u) / n for one random u a class, so
    that a prefix of p·m samples holds p·n ± 1 of each class.
    """
    rng = np.random.default_rng([seed, count])
    shuffled = rng.permutation(count)
    if targets is None or targets.dtype != np.int64:
        return shuffled
    labels = targets[shuffled]
    place = np.empty(count)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[members] = (np.arange(members.size) + rng.random()) / members.size
    return shuffled[np.argsort(place, kind="stable")]


def split(
    targets: Array | None,
    part: Array,
    groups: Array | None,
    fractions: tuple[float, float],
    seed: int,
) -> tuple[Array, Array, Array]:
    """Return the positions of training, validation and test part, each in mixed order.

    Parameters
    ----------
    targets
        Class numbers decide the strata; real targets or None mean none.
    part
        What the files decide already (see `Source.part`).
    groups
        Samples of one group stay together.
    fractions
        Of validation and test, each of the samples that the files leave undecided; a part that
        the files give is left alone.
    seed
        Same seed, same parts.
    """
    order = mixed_order(targets, len(part), seed)
    part = part[order]
    keys = None if groups is None else groups[order]
    labels = None if targets is None or targets.dtype != np.int64 else targets[order]
    undecided, chosen = np.count_nonzero(part == 0), part.copy()
    for number, fraction in ((2, fractions[1]), (1, fractions[0])):
        if fraction > 0 and not (part == number).any():
            free = np.flatnonzero(chosen == 0)
            wanted = max(1, round(fraction * undecided))
            chosen[_choose(free, labels, keys, min(wanted, free.size - 1), seed)] = number
    parts = tuple(order[chosen == number] for number in range(3))
    if not parts[0].size:
        raise DataError("data", f"no sample of {len(part)} is left for training")
    return parts[0], parts[1], parts[2]


def _choose(free: Array, labels: Array | None, keys: Array | None, wanted: int, seed: int) -> Array:
    """Positions among `free` to move to another part."""
    if keys is not None:
        names = np.unique(keys[free])
        names = names[np.random.default_rng([seed, 7]).permutation(names.size)]
        sizes = np.cumsum([np.count_nonzero(keys[free] == name) for name in names])
        # As many whole groups as come nearest to the wish, but never all of them.
        count = int(np.argmin(np.abs(sizes - wanted))) + 1
        return free[np.isin(keys[free], names[: min(count, names.size - 1)])]
    if labels is None:
        return free[:wanted]
    # The order is mixed already: the last samples hold the classes in proportion, too. A class
    # with two samples or more is never moved as a whole.
    rank = np.zeros(free.size, np.int64)
    for label in np.unique(labels[free]):
        members = np.flatnonzero(labels[free] == label)
        rank[members] = np.arange(members.size)
    movable = np.flatnonzero(rank > 0)
    return free[movable[:wanted]] if movable.size else free[:wanted]
