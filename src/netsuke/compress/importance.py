"""How much the network would miss a unit: three answers, for channels that fall together.

- `taylor`: first-order Taylor expansion (Molchanov et al. 2019, arXiv:1906.10771, eq. 8). Removing
  a unit u sets its weights to zero, which changes the loss L of a batch by about
  Σ_{w in u} w · ∂L/∂w. The importance is the root of the mean over batches of that sum's square.
  Weights before and after the cut, biases and normalizations all count, since all of them go.
- `magnitude`: the root of the mean square of the unit's weights, the L2 form of the filter norms
  of Li et al. 2017 (arXiv:1608.08710, section 3.1), over all that goes with the unit.
- `bn_scale`: the mean of |γ| over the normalizations that the unit passes through (network
  slimming, Liu et al. 2017, arXiv:1708.06519, section 3: γ is what a channel is multiplied by).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.data import Dataset
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.ops import BatchNorm
from netsuke.passes.channel_groups import ChannelGroup

BATCH = 64


def taylor(
    graph: Graph, groups: Sequence[ChannelGroup], data: Dataset, batches: int = 16
) -> tuple[Array, ...]:
    """Return the importance of every unit of every group, ``(units,)`` each, all above 0.

    Parameters
    ----------
    graph
        The graph that the groups were found in.
    groups
        Its groups.
    data
        The training part is used; without labels the network's own answers serve as labels.
    batches
        Batches of 64 samples.
    """
    import torch

    from netsuke.data.stored import stored_inputs
    from netsuke.train import scores_graph, to_module

    module = to_module(scores_graph(graph)).eval()
    totals = [np.zeros(group.units) for group in groups]
    count = max(1, min(batches, len(data.train) // BATCH))
    for number in range(count):
        chosen = np.arange(number * BATCH, min((number + 1) * BATCH, len(data.train)))
        samples = data.train.batch(chosen)
        outputs = module(torch.from_numpy(stored_inputs(module.graph, samples)))
        module.zero_grad(set_to_none=True)
        _loss(outputs, data, chosen).backward()
        effects = {
            name: (value.detach() * value.grad).numpy()
            for name, value in module.values().items()
            if value.requires_grad and value.grad is not None
        }
        for total, group in zip(totals, groups, strict=True):
            total += np.square(_effect(group, effects))
    floor = 1e-12
    return tuple(np.sqrt(total / count) + floor for total in totals)


def _loss(outputs: Any, data: Dataset, chosen: Array) -> Any:
    import torch

    from netsuke.train.loss import class_scores

    targets = None if data.train.targets is None else data.train.labels[chosen]
    if data.task == "regression" and targets is not None:
        flat = outputs.reshape(len(chosen), -1)
        return torch.nn.functional.mse_loss(flat, torch.from_numpy(targets).reshape(flat.shape))
    scores = class_scores(outputs, len(data.classes))
    wanted = scores.detach().argmax(dim=1) if targets is None else torch.from_numpy(targets)
    return torch.nn.functional.cross_entropy(scores, wanted)


def _effect(group: ChannelGroup, effects: dict[str, Array]) -> Array:
    """Σ w · ∂L/∂w over everything that each unit takes with it."""
    total = np.zeros(group.units)
    for (name, axis), places in group.members.items():
        effect = effects.get(name)
        if effect is not None:
            others = tuple(other for other in range(effect.ndim) if other != axis)
            total += effect.sum(axis=others)[places].sum(axis=1)
    return total


def magnitude(graph: Graph, groups: Sequence[ChannelGroup]) -> tuple[Array, ...]:
    """Return the root of the mean square of each unit's weights, ``(units,)`` a group."""
    results = []
    for group in groups:
        squares, count = np.zeros(group.units), 0
        for (name, axis), places in group.members.items():
            data = graph.tensors[name].data
            if data is not None and data.dtype == np.float32 and data.ndim > 1:
                others = tuple(other for other in range(data.ndim) if other != axis)
                squares += np.square(data.astype(np.float64)).sum(axis=others)[places].sum(axis=1)
                count += data.size * places.size // (data.shape[axis] * group.units)
        results.append(np.sqrt(squares / max(count, 1)) + 1e-12)
    return tuple(results)


def bn_scale(graph: Graph, groups: Sequence[ChannelGroup]) -> tuple[Array, ...]:
    """Return the mean of |γ| of each unit, ``(units,)`` a group.

    Units of a layer without a normalization (a gate, a dense layer) are compared by `magnitude`:
    scores are only ever compared within a layer.

    Raises
    ------
    UsageError
        When no unit passes through a normalization.
    """
    scales = {node.inputs[1] for node in graph.nodes if isinstance(node.op, BatchNorm)}
    results, found = list(magnitude(graph, groups)), False
    for number, group in enumerate(groups):
        sums, count = np.zeros(group.units), 0
        for (name, _), places in group.members.items():
            gamma = graph.tensors[name].data
            if name in scales and gamma is not None:
                sums += np.abs(gamma.astype(np.float64))[places].sum(axis=1)
                count += places.shape[1]
        if count:
            results[number], found = sums / count + 1e-12, True
    if not found:
        raise UsageError(
            f"{graph.name} has no batch normalization whose scales could be compared (they may be "
            "folded away); try importance 'magnitude' or 'taylor'"
        )
    return tuple(results)
