"""Structured pruning: the channels that are missed least go, from every layer.

What can only go together is found from the operators' own links (`netsuke.passes.channel_groups`),
so residuals, concatenations, depthwise and grouped convolutions, shuffles, gates and flattened
images need no rule here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from netsuke.compress.importance import bn_scale, magnitude, taylor
from netsuke.data import Dataset
from netsuke.errors import DataError, UsageError
from netsuke.ir import Array, Graph, Tensor, constant
from netsuke.passes import arrange
from netsuke.passes.channel_groups import ChannelGroup, channel_groups, cut
from netsuke.passes.edit import own_constants
from netsuke.passes.open_groups import open_groups

IMPORTANCE = ("taylor", "magnitude", "bn-scale")
MULTIPLES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """A pruned graph, and everything that tells how it came out of the original.

    Attributes
    ----------
    graph
        The result; its weights are those of the original.
    original
        The graph whose channels were cut: the given one with channels last in every tensor
        (`netsuke.passes.arrange`), and its groups opened where a shuffle ties them together
        (`netsuke.passes.open_groups`).
    groups, kept
        What could be cut, and the units of each group that stayed.
    """

    graph: Graph
    original: Graph
    groups: tuple[ChannelGroup, ...]
    kept: tuple[tuple[int, ...], ...]

    @property
    def widths(self) -> dict[str, tuple[int, int]]:
        """Layer -> its units before and after; a layer is known by the tensor that it makes."""
        return {
            name: (
                sum(self.groups[number].units for number in numbers),
                sum(len(self.kept[number]) for number in numbers),
            )
            for name, numbers in layers_of(self.groups).items()
        }

    @property
    def masked(self) -> Graph:
        """The original with everything that was cut set to zero: what `graph` is equal to."""
        return silence(self.original, self.groups, self.kept)


def prune(
    graph: Graph,
    keep: float = 0.5,
    importance: str = "magnitude",
    data: Dataset | None = None,
    multiple: int = 4,
) -> Pruned:
    """Cut every layer of a float graph to a share of its channels.

    Parameters
    ----------
    graph
        A float graph from any frontend or the zoo; batch normalizations may still stand in it.
    keep
        Share of each layer's channels that stays, above 0 and at most 1.
    importance
        Which go first: ``"taylor"`` (needs data), ``"magnitude"`` or ``"bn-scale"``; see
        `netsuke.compress.importance`.
    data
        For ``"taylor"``: the training part is used.
    multiple
        Widths become the nearest multiple of it (4 or 8 are what kernels like). A layer that has
        no smaller multiple is cut to the nearest width instead, so none is skipped.

    Returns
    -------
    Pruned
        Its `graph` computes what the original with the cut channels set to zero computes; in
        integers bit for bit, in floats but for the order in which sums are rounded.

    Raises
    ------
    UsageError
        When an argument is wrong, the graph is quantized, or nothing in it can be cut.
    DataError
        When the data do not match the graph, or are too few or too large for gradients.
    """
    _check(graph, keep, importance, data, multiple)
    opened = own_constants(open_groups(arrange(graph)))
    groups = channel_groups(opened)
    if not groups:
        raise UsageError(
            f"{graph.name} has no channels that could be cut: every axis is an input, an output, "
            "or is needed whole by an operator"
        )
    scores = _scores(opened, groups, importance, data)
    kept = choose(opened, groups, scores, keep, multiple)
    return Pruned(cut(opened, groups, kept), opened, groups, kept)


def _check(graph: Graph, keep: float, importance: str, data: Dataset | None, multiple: int) -> None:
    if not 0.0 < keep <= 1.0:
        raise UsageError(f"keep={keep:g} is not a share above 0 and at most 1; try 0.5")
    if importance not in IMPORTANCE:
        raise UsageError(f"importance {importance!r} is unknown; known are {', '.join(IMPORTANCE)}")
    if importance == "taylor" and data is None:
        raise UsageError("importance 'taylor' needs data; give some, or try 'magnitude'")
    if multiple not in MULTIPLES:
        raise UsageError(f"widths round to 1, 2, 4, 8 or 16, not to {multiple}")
    for tensor in graph.tensors.values():
        if tensor.quant is not None:
            raise UsageError(
                f"{graph.name} is quantized ({tensor.name!r} is {tensor.dtype}); prune the float "
                "model and quantize the result"
            )


def _scores(
    graph: Graph, groups: Sequence[ChannelGroup], importance: str, data: Dataset | None
) -> tuple[Array, ...]:
    if importance == "taylor" and data is not None:
        return _taylor(graph, groups, data)
    return magnitude(graph, groups) if importance == "magnitude" else bn_scale(graph, groups)


def _taylor(graph: Graph, groups: Sequence[ChannelGroup], data: Dataset) -> tuple[Array, ...]:
    from netsuke.train import check_match

    check_match(graph, data)
    if not len(data.train):
        raise DataError(data.name, "has no training samples; importance 'taylor' needs some")
    scores = taylor(graph, groups, data)
    for group, score in zip(groups, scores, strict=True):
        if not np.isfinite(score).all():
            raise DataError(
                data.name,
                f"its gradients at {group.name!r} are not finite; try importance 'magnitude'",
            )
    return scores


def layers_of(groups: Sequence[ChannelGroup]) -> dict[str, list[int]]:
    """Numbers of the groups that one tensor brings in together, by the tensor's name.

    A layer's channels can be several groups: some pass through a residual and some do not.
    """
    layers: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        layers.setdefault(group.name, []).append(number)
    return layers


def width(units: int, keep: float, multiple: int) -> int:
    """How many of a layer's units stay.

    Examples
    --------
    >>> [width(units, 0.5, 4) for units in (64, 20, 12, 6, 4, 3, 1)]
    [32, 12, 8, 4, 2, 2, 1]
    """
    exact = keep * units
    rounded = int(exact / multiple + 0.5) * multiple
    if rounded == 0 or (rounded >= units and keep < 1.0):
        rounded = int(exact + 0.5)
    return min(max(rounded, 1), units)


def choose(
    graph: Graph,
    groups: Sequence[ChannelGroup],
    scores: Sequence[Array],
    keep: float,
    multiple: int,
) -> tuple[tuple[int, ...], ...]:
    """The units of every group that stay: of each layer the most important ones.

    A group may go as a whole when every axis that it touches keeps something of other groups.
    Equal scores are decided by position, so that the result is the same on every machine.
    """
    kept: list[set[int]] = [set() for _ in groups]
    for numbers in layers_of(groups).values():
        channels = max(groups[number].channels for number in numbers)
        total = sum(groups[number].units for number in numbers)
        wanted = width(total, keep, max(1, multiple // channels))
        ranked = sorted(
            (-float(score), number, unit)
            for number in numbers
            for unit, score in enumerate(scores[number])
        )
        for _, number, unit in ranked[:wanted]:
            kept[number].add(unit)
    _fill_empty_axes(graph, groups, scores, kept)
    return tuple(tuple(sorted(units)) for units in kept)


def _fill_empty_axes(
    graph: Graph,
    groups: Sequence[ChannelGroup],
    scores: Sequence[Array],
    kept: Sequence[set[int]],
) -> None:
    """Give the best unit back to groups without which an axis would have no position left."""
    left: dict[tuple[str, int], int] = {}
    for group, units in zip(groups, kept, strict=True):
        for (name, axis), places in group.members.items():
            before = left.get((name, axis), graph.tensors[name].shape[axis])
            left[name, axis] = before - places.shape[1] * (group.units - len(units))
    for group, score, units in zip(groups, scores, kept, strict=True):
        if not units and any(left[member] == 0 for member in group.members):
            units.add(int(np.argmax(score)))
            for member, places in group.members.items():
                left[member] += places.shape[1]


def silence(graph: Graph, groups: Sequence[ChannelGroup], kept: Sequence[Sequence[int]]) -> Graph:
    """The uncut graph with every constant that a cut would take set to (real) zero.

    Weights, biases, scales, offsets and means alike: a channel that would go carries a value that
    no layer reads any more, since the weights that read it are zero, too.
    """
    gone: dict[str, list[tuple[int, Array]]] = {}
    for group, units in zip(groups, kept, strict=True):
        dropped = np.setdiff1d(np.arange(group.units), np.asarray(units, np.int64))
        for (name, axis), places in group.members.items():
            gone.setdefault(name, []).append((axis, places[dropped].ravel()))
    tensors: dict[str, Tensor] = dict(graph.tensors)
    for name, cuts in gone.items():
        tensors[name] = _silenced(graph.tensors[name], cuts)
    return replace(graph, tensors=tensors)


def _silenced(tensor: Tensor, cuts: Sequence[tuple[int, Array]]) -> Tensor:
    # Integers without a quantization are biases (zero is zero), or positions, which are no values.
    if tensor.data is None or tensor.dtype in ("int64", "bool"):
        return tensor
    data = np.array(tensor.data)
    for axis, places in cuts:
        index: list[slice | Array] = [slice(None)] * data.ndim
        index[axis] = places
        data[tuple(index)] = _zero(tensor, axis, places)
    return constant(tensor.name, data, tensor.quant)


def _zero(tensor: Tensor, axis: int, places: Array) -> int | Array:
    quant = tensor.quant
    if quant is None:
        return 0
    zeros = np.asarray(quant.zero_point)
    if quant.axis is None or len(zeros) == 1:
        return int(zeros[0])
    shape = [1] * len(tensor.shape)
    if quant.axis == axis:
        shape[axis] = len(places)
        return zeros[places].reshape(shape)
    shape[quant.axis] = len(zeros)
    return zeros.reshape(shape)
