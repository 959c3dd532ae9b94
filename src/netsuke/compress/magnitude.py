"""Pruning connections by magnitude: train, prune, retrain the survivors.

Han et al. 2015 (arXiv:1506.02626, section 3): weights below a threshold of their layer become 0,
the rest is trained on from where it is, and this is repeated. What is 0 stays 0. No layer of
netsuke's training drops units out, so the dropout ratio that their equation 2 adjusts is 0.

How many weights are 0 after round r of n follows Zhu & Gupta 2017 (arXiv:1710.01878, equation 1)::

    s_r = s_f + (s_0 - s_f) · (1 - r/n)^3

or a straight line from the share s_0 that is 0 at first to the share s_f that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.compress.shares import METHODS, without_smallest, zeros_by_layer
from netsuke.data import Dataset
from netsuke.errors import GraphError, UsageError
from netsuke.files import write_whole
from netsuke.ir import Array, Graph, constant, load_graph, save_graph, verify
from netsuke.ops import OPERATORS
from netsuke.passes.edit import own_constants
from netsuke.train import Progress, Recipe, check_match, evaluate, layer_weights, to_module, train
from netsuke.train.files import read_json, write_json

RISES = ("cubic", "linear")
SMALLEST_FAN = 16
"""Layers with fewer products a sum (depthwise convolutions) stay whole: they have few weights, and
nothing is saved by skipping some."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is to become 0, and in which steps.

    Attributes
    ----------
    sparsity
        Share of zeros, above 0 and below 1: of the weights of all layers together, or by layer
        (names of nodes; other layers stay whole).
    method
        How a total is spread over layers, see `netsuke.compress.shares`.
    rounds
        How often weights are pruned and the rest is trained.
    rise
        ``"cubic"`` or ``"linear"``.
    """

    sparsity: float | Mapping[str, float]
    method: str = "sensitivity"
    rounds: int = 4
    rise: str = "cubic"

    def __post_init__(self) -> None:
        given = self.sparsity
        shares = dict(given) if isinstance(given, Mapping) else {"the network": given}
        for place, share in shares.items():
            if not 0.0 < share < 1.0:
                raise UsageError(
                    f"a sparsity of {share:g} for {place} is not between 0 and 1; 0.9 leaves one "
                    "weight of ten"
                )
        if not shares:
            raise UsageError("no layer is to be pruned; name one, or give a sparsity for all")
        if self.method not in METHODS or self.rise not in RISES:
            raise UsageError(
                f"no pruning is called {self.method!r}, {self.rise!r}; known are "
                f"{', '.join(METHODS)} and {', '.join(RISES)}"
            )
        if not 1 <= self.rounds <= 1000:
            raise UsageError(f"{self.rounds} rounds are not between 1 and 1000")

    def share(self, number: int, first: float, last: float) -> float:
        """The share of zeros after round `number` of 1 to `rounds`."""
        left = 1.0 - number / self.rounds
        return last + (first - last) * left ** (3 if self.rise == "cubic" else 1)


@dataclass(frozen=True, slots=True)
class LayerZeros:
    """A layer's weights, and how many of them are not 0."""

    layer: str
    weights: int
    kept: int


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """What pruning made.

    Attributes
    ----------
    graph
        The network with zeros.
    layers
        What each layer that could be pruned kept.
    history
        An entry a round: ``sparsity``, ``pruned`` and ``validation``, points of the validation
        part before and after training (absent without one).
    """

    graph: Graph
    layers: tuple[LayerZeros, ...]
    history: tuple[dict[str, float], ...]

    @property
    def sparsity(self) -> float:
        """Share of zeros among the weights of these layers."""
        return 1.0 - sum(row.kept for row in self.layers) / sum(row.weights for row in self.layers)


def prune(
    graph: Graph,
    data: Dataset,
    pruning: Pruning,
    recipe: Recipe | None = None,
    *,
    last: Recipe | None = None,
    teacher: Graph | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Pruned:
    """Prune a trained float graph.

    Parameters
    ----------
    graph
        A float graph with one input, trained.
    data
        Its training part retrains; its validation part measures sensitivities. The test part is
        not looked at.
    pruning
        What is to become 0.
    recipe, last
        How the survivors are trained after each round, and after the last one (as after the
        others). A learning rate of a tenth of the network's own is what the paper takes.
    teacher
        A float graph whose scores are learned, too; often the network itself.
    out
        Folder in which every round, and every epoch of it, is kept.
    resume
        Go on with what `out` holds, to the same end as without a break.
    progress
        Where to show how far it is.

    Raises
    ------
    UsageError
        A quantized graph, one without layers to prune, one that is as sparse already, a name that
        no layer has, data that do not match, or a folder that holds something else.
    GraphError
        Weights that are no numbers.
    """
    recipe = recipe or Recipe(epochs=2, lr=5e-4)
    graph = own_constants(graph)
    check_match(graph, data)
    weights = prunable_weights(graph)
    goals = _goals(pruning, weights)
    rounds = _Rounds(out, resume, lambda: _key(graph, data, pruning, recipe, last, teacher))
    first = graph
    history: list[dict[str, float]] = []
    for number in range(1, pruning.rounds + 1):
        kept = rounds.load(number)
        if kept is not None:
            graph, entry = kept
        else:
            wanted = recipe if last is None or number < pruning.rounds else last
            pruned = _pruned(graph, first, data, pruning, goals, number)
            graph = train(
                pruned,
                data,
                replace(wanted, seed=wanted.seed + number),
                teacher=teacher,
                out=rounds.inside(number),
                resume=resume,
                keep_zeros=True,
                progress=progress,
            ).graph
            entry = _entry(graph, pruned, data)
            rounds.save(number, graph, entry)
        history.append(entry)
    return Pruned(graph, layer_zeros(graph), tuple(history))


def prunable_weights(graph: Graph) -> dict[str, str]:
    """Layers that can be pruned: name of the node -> name of its weights.

    Raises
    ------
    UsageError
        When the graph is quantized, or has no such layer.
    GraphError
        When weights are no numbers.
    """
    to_module(graph)  # refuses integers
    found = {}
    for name, node in layer_weights(graph).items():
        tensor = graph.tensors[name]
        assert tensor.data is not None
        axis = node.op.rule.weights[node.inputs.index(name)]
        fan = tensor.elements // (tensor.shape[axis] if axis is not None else 1)
        if len(tensor.shape) < 2 or fan < SMALLEST_FAN:
            continue
        if not np.isfinite(tensor.data).all():
            raise GraphError(name, "holds weights that are not finite; nothing can be pruned")
        found[node.name if node.name not in found else name] = name
    if not found:
        raise UsageError(
            f"{graph.name} has no layer whose sums have {SMALLEST_FAN} products or more"
        )
    return found


def layer_zeros(graph: Graph) -> tuple[LayerZeros, ...]:
    """What the layers of a graph that can be pruned kept."""
    arrays = {layer: graph.tensors[name].data for layer, name in prunable_weights(graph).items()}
    return tuple(
        LayerZeros(layer, array.size, int(np.count_nonzero(array)))
        for layer, array in arrays.items()
        if array is not None
    )


def _goals(pruning: Pruning, weights: Mapping[str, str]) -> dict[str, float]:
    """Shares by name of the weights; only an empty name where one share is for all."""
    if not isinstance(pruning.sparsity, Mapping):
        return {"": pruning.sparsity}
    unknown = [layer for layer in pruning.sparsity if layer not in weights]
    if unknown:
        raise UsageError(
            f"no layer to prune is called {unknown[0]!r}; there are {', '.join(weights)}"
        )
    return {weights[layer]: share for layer, share in pruning.sparsity.items()}


def _pruned(
    graph: Graph,
    first: Graph,
    data: Dataset,
    pruning: Pruning,
    goals: Mapping[str, float],
    number: int,
) -> Graph:
    """The graph with the zeros of a round."""
    names = prunable_weights(graph).values()
    now, then = _weights(graph, names), _weights(first, names)
    if "" in goals:
        total = _zeros(then.values(), goals[""], pruning, number, "the network")
        total = min(total, sum(array.size - 1 for array in now.values()))
        counts = zeros_by_layer(graph, now, total, pruning.method, data)
    else:
        counts = {
            name: _zeros([then[name]], share, pruning, number, f"layer {name!r}")
            for name, share in goals.items()
        }
    tensors = dict(graph.tensors)
    for name, count in counts.items():
        tensors[name] = constant(name, without_smallest(now[name], count))
    return verify(replace(graph, tensors=tensors))


def _weights(graph: Graph, names: Any) -> dict[str, Array]:
    found = {name: graph.tensors[name].data for name in names}
    return {name: array for name, array in found.items() if array is not None}


def _zeros(arrays: Any, goal: float, pruning: Pruning, number: int, place: str) -> int:
    """How many weights are 0 after a round; at least one is not."""
    arrays = list(arrays)
    size = sum(array.size for array in arrays)
    first = sum(int((array == 0).sum()) for array in arrays) / size
    if goal <= first:
        raise UsageError(
            f"{first:.2%} of the weights of {place} are 0 already; ask for more than that, "
            f"not for {goal:.2%}"
        )
    return min(size - 1, math.floor(pruning.share(number, first, goal) * size + 1e-6))


def _entry(graph: Graph, pruned: Graph, data: Dataset) -> dict[str, float]:
    rows = layer_zeros(graph)
    entry = {"sparsity": 1.0 - sum(row.kept for row in rows) / sum(row.weights for row in rows)}
    if len(data.validation) and data.validation.targets is not None:
        entry["pruned"] = evaluate(pruned, data, data.validation).metric
        entry["validation"] = evaluate(graph, data, data.validation).metric
    return entry


def _key(
    graph: Graph,
    data: Dataset,
    pruning: Pruning,
    recipe: Recipe,
    last: Recipe | None,
    teacher: Graph | None,
) -> dict[str, Any]:
    return {
        "network": graph.fingerprint(),
        "data set": data.fingerprint(),
        "pruning": asdict(pruning),
        "recipe": [recipe.record(), None if last is None else last.record()],
        "teacher": None if teacher is None else teacher.fingerprint(),
    }


class _Rounds:
    """Finished rounds in a folder; without one nothing is kept."""

    def __init__(
        self, folder: Path | str | None, resume: bool, key: Callable[[], dict[str, Any]]
    ) -> None:
        self.folder = None if folder is None else Path(folder)
        if self.folder is None:
            return
        state, wanted = self.folder / "pruning.json", key()
        if not state.exists():
            write_json(state, wanted)
        elif not resume:
            raise UsageError(f"{folder} holds a pruning already; resume it, or take another folder")
        else:
            found = read_json(state)
            other = [name for name, value in wanted.items() if found.get(name) != value]
            if other:
                raise UsageError(
                    f"{folder} belongs to another {' and '.join(other)}; take another folder"
                )

    def inside(self, number: int) -> Path | None:
        return None if self.folder is None else self.folder / f"round{number}"

    def load(self, number: int) -> tuple[Graph, dict[str, float]] | None:
        if self.folder is None or not (self.folder / f"round{number}.json").exists():
            return None
        path = self.folder / f"round{number}.nsk"
        entry: dict[str, float] = read_json(self.folder / f"round{number}.json")
        return load_graph(path.read_bytes(), OPERATORS, str(path)), entry

    def save(self, number: int, graph: Graph, entry: dict[str, float]) -> None:
        if self.folder is not None:
            write_whole(self.folder / f"round{number}.nsk", save_graph(graph))
            write_json(self.folder / f"round{number}.json", entry)
