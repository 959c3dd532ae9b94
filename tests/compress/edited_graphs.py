"""Networks to edit, each as `fit` would see it, and what must hold of every result."""

from __future__ import annotations

from functools import cache

import numpy as np

from netsuke.ir import Array, Graph, interpret, verify
from netsuke.models import build
from netsuke.passes import PIPELINE
from netsuke.passes.edit import own_constants

ZOO = {
    "resnet8": "resnet8?width=0.5",
    "mobilenet_v1": "mobilenet_v1?width=0.25&size=48",
    "ds_cnn": "ds_cnn?width=0.25",
    "lenet": "lenet?width=0.5",
    "densenet121": "densenet121?growth=2&size=64&classes=10",
}
FOLDING = ("drop_constant_channels", "fold_batch_norm", "fold_scale")


@cache
def network(name: str) -> Graph:
    """A zoo network with other statistics than the identity's, tidied but not folded."""
    graph = build(ZOO.get(name, name))
    for step in PIPELINE:
        if step.__name__ not in FOLDING:
            graph = step(graph)
    return own_constants(graph)


def sample(graph: Graph, seed: int = 0) -> Array:
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def run(graph: Graph, x: Array) -> Array:
    """The first output for one sample."""
    return interpret(graph, {graph.inputs[0]: x})[graph.outputs[0]]


def value_of(graph: Graph, name: str, x: Array) -> Array:
    """An activation for one sample."""
    seen: dict[str, Array] = {}
    interpret(graph, {graph.inputs[0]: x}, lambda key, value: seen.update({key: value}))
    return seen[name]


def check(graph: Graph, original: Graph) -> None:
    """A graph is valid, runs, and answers in the form of the original."""
    verify(graph)
    assert graph.inputs == original.inputs and graph.outputs == original.outputs
    y = run(graph, sample(graph))
    assert np.isfinite(y).all()
    assert y.shape == original.tensors[original.outputs[0]].shape
