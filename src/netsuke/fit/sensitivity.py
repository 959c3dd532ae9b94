"""What single changes do to the original before any training: where a network bears cutting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from netsuke.data import Dataset
from netsuke.data.stored import stored_inputs
from netsuke.fit.design import Design
from netsuke.fit.result import Sensitivity
from netsuke.fit.space import DesignSpace
from netsuke.ir import Graph
from netsuke.train import Progress, evaluate, from_module, scores_graph, to_module

BATCH = 64


def recalibrated(graph: Graph, data: Dataset, samples: int) -> Graph:
    """The graph with its normalizations' means and variances measured anew.

    What a cut does first of all is to move the statistics of what follows; measuring them again
    shows what information is lost (Li et al. 2020, EagleEye, arXiv:2007.02491, section 3.3).
    """
    plain = scores_graph(graph)
    if not any(node.op.measured for node in plain.nodes):
        return plain
    module = to_module(plain)
    part = data.train.take(samples)
    module.train()
    with torch.no_grad():
        for number, batch in enumerate(part.batches(BATCH)):
            module.momentum = 1.0 / (number + 1)  # the mean over all batches
            module(torch.from_numpy(stored_inputs(plain, batch)))
    module.eval()
    return from_module(plain, module)


def single_changes(space: DesignSpace) -> Iterator[tuple[str, Design]]:
    """Each group at half its width, and each edit alone."""
    whole = space.whole()
    for number, group in enumerate(space.groups):
        widths = list(whole.widths)
        widths[number] = max(1, widths[number] // 2)
        if widths[number] < whole.widths[number]:
            yield group.name, Design(tuple(widths), origin="half")
    for edit in space.edits:
        if space.works((edit,)):
            yield str(edit), Design(space.skeleton((edit,)).whole, (edit,), origin="edit")


def sensitivity(space: DesignSpace, samples: int, bar: Progress) -> tuple[Sensitivity, ...]:
    """Points that each single change costs, and what it saves.

    Parameters
    ----------
    space
        Of the original.
    samples
        Training samples that measure normalizations again, and validation samples that judge.
    bar
        Shows how far it is.
    """
    whole = space.whole()
    cost = space.skeleton().quick(np.array(whole.widths))
    base = _metric(space, whole, samples)
    found = []
    everything = list(single_changes(space))
    for number, (name, design) in enumerate(everything):
        bar.at(f"sensitivity of {name}", number, len(everything))
        less = space.skeleton_of(design).quick(np.array(design.widths))
        saved = 1.0 - less / np.maximum(cost, 1.0)
        drop = base - _metric(space, design, samples)
        found.append(Sensitivity(name, drop, float(saved[0]), float(saved[2])))
    return tuple(found)


def _metric(space: DesignSpace, design: Design, samples: int) -> float:
    data = space.data_of(design)
    graph = recalibrated(space.realise(design), data, samples)
    return evaluate(graph, data, data.validation.take(samples)).metric
