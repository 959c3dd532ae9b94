"""Normalizations that were folded away come back without changing anything."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.data import load_data
from netsuke.ir import Graph
from netsuke.models import build
from netsuke.passes import optimize
from netsuke.passes.edit import own_constants
from netsuke.train import Recipe, evaluate, predict, train
from netsuke.train.normalizations import with_normalizations

DATA = load_data("digits?normalise=raw&limit=600")


def folded(spec: str) -> Graph:
    return own_constants(optimize(build(spec)))


@pytest.mark.parametrize("spec", ["lenet?size=8", "resnet8?size=8&channels=1&width=0.5"])
def test_the_meaning_stays_and_every_hidden_layer_gets_one(spec: str) -> None:
    graph = folded(spec)
    normal = with_normalizations(graph, DATA.train)
    kinds = [node.op.kind for node in normal.nodes]
    layers = sum(kind in ("conv2d", "dense") for kind in kinds)
    assert kinds.count("batch_norm") == layers - 1
    before, after = predict(graph, DATA.test), predict(normal, DATA.test)
    assert np.allclose(before, after, rtol=1e-4, atol=1e-3)
    again = optimize(normal)
    assert [node.op.kind for node in again.nodes] == [node.op.kind for node in graph.nodes]
    assert np.allclose(before, predict(again, DATA.test), rtol=1e-4, atol=1e-3)


def test_weights_come_to_a_scale_that_training_expects() -> None:
    normal = with_normalizations(folded("lenet?size=8"), DATA.train)
    for node in normal.nodes:
        if node.op.kind == "conv2d":
            weights = normal.tensors[node.inputs[1]].data
            fan = weights[0].size
            deviation = np.sqrt(np.square(weights).mean(axis=(1, 2, 3)))
            assert np.allclose(deviation, np.sqrt(2.0 / fan), rtol=1e-4)


def test_a_network_that_has_them_is_left_alone() -> None:
    graph = build("resnet8?size=8&channels=1&width=0.25")
    kinds = [node.op.kind for node in with_normalizations(graph, DATA.train).nodes]
    # The two convolutions around which the input passes have none in the zoo.
    assert kinds.count("batch_norm") == 9


def test_a_trained_network_on_raw_values_stays_good_when_trained_on() -> None:
    recipe = Recipe(epochs=10, threads=1, lr=3e-3)
    trained = train(build("lenet?size=8"), DATA, recipe, validate=False).graph
    before = evaluate(trained, DATA, DATA.test).metric
    again = with_normalizations(own_constants(optimize(trained)), DATA.train)
    after = train(again, DATA, Recipe(epochs=2, threads=1), validate=False).graph
    assert before > 85 and evaluate(after, DATA, DATA.test).metric > before - 4
