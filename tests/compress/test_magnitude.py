"""Pruning by magnitude: how many weights go, which ones, and that they stay away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netsuke.compress import magnitude
from netsuke.compress.magnitude import Pruned, Pruning, layer_zeros, prunable_weights, prune
from netsuke.compress.quantize import quantize
from netsuke.compress.shares import METHODS, mean_loss, without_smallest, zeros_by_layer
from netsuke.data import Dataset, load_data
from netsuke.errors import GraphError, UsageError
from netsuke.ir import Array, Graph, constant
from netsuke.models import build
from netsuke.models.layers import Layers
from netsuke.train import Recipe, evaluate, train

QUICK = Recipe(epochs=1, lr=1e-3, threads=1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits")


@pytest.fixture(scope="module")
def trained(digits: Dataset) -> Graph:
    layers = Layers("perceptron", 0)
    x = layers.flatten(layers.input(8, 8, 1))
    x = layers.relu(layers.dense(x, 64))
    graph = layers.classify(x, 10, False)
    return train(graph, digits, Recipe(epochs=30, lr=3e-3, threads=1)).graph


def weights_of(graph: Graph) -> dict[str, Array]:
    arrays = {layer: graph.tensors[name].data for layer, name in prunable_weights(graph).items()}
    return {layer: array for layer, array in arrays.items() if array is not None}


def zeros(graph: Graph) -> dict[str, int]:
    return {row.layer: row.weights - row.kept for row in layer_zeros(graph)}


@pytest.fixture(scope="module")
def sparse(trained: Graph, digits: Dataset) -> Pruned:
    return prune(trained, digits, Pruning(0.85, rounds=3), replace(QUICK, epochs=15, lr=3e-3))


def test_most_connections_go_and_the_answers_stay(
    trained: Graph, digits: Dataset, sparse: Pruned
) -> None:
    total = sum(row.weights for row in sparse.layers)
    assert total == 64 * 64 + 640
    assert sum(row.kept for row in sparse.layers) == total - int(0.85 * total)
    before = evaluate(trained, digits, digits.test).metric
    after = evaluate(sparse.graph, digits, digits.test).metric
    assert before > 94 and after > before - 2
    last = sparse.history[-1]
    assert last["validation"] > last["pruned"], "training the survivors must help"


def test_shares_rise_as_the_cube_says(sparse: Pruned) -> None:
    wanted = [0.85 * (1 - (1 - r / 3) ** 3) for r in (1, 2, 3)]
    np.testing.assert_allclose([entry["sparsity"] for entry in sparse.history], wanted, atol=3e-4)
    straight = Pruning(0.8, rounds=4, rise="linear")
    np.testing.assert_allclose([straight.share(r, 0.2, 0.8) for r in (1, 4)], [0.35, 0.8])


def test_pruned_connections_do_not_grow_back(trained: Graph, digits: Dataset) -> None:
    name = prunable_weights(trained)["dense2"]
    data = trained.tensors[name].data
    assert data is not None
    cut = without_smallest(data, 3000)
    graph = replace(trained, tensors={**trained.tensors, name: constant(name, cut)})
    for optimizer in ("adam", "sgd"):
        recipe = replace(QUICK, optimizer=optimizer, weight_decay=0.01)
        held = weights_of(train(graph, digits, recipe, keep_zeros=True).graph)["dense2"]
        free = weights_of(train(graph, digits, recipe).graph)["dense2"]
        assert not held[cut == 0].any() and (held[cut != 0] != cut[cut != 0]).mean() > 0.9
        assert not np.signbit(held[cut == 0]).any()
        assert free[cut == 0].any(), "without holding them they would have grown back"


def test_the_smallest_magnitudes_go_first_and_equal_ones_in_order() -> None:
    array = np.array([[3.0, -1.0, 0.5], [-0.5, 2.0, 0.5]], np.float32)
    np.testing.assert_array_equal(without_smallest(array, 2), [[3, -1, 0], [0, 2, 0.5]])
    assert array[0, 2] == 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_every_method_prunes_exactly_so_many_and_leaves_something_everywhere(
    trained: Graph, digits: Dataset, method: str, share: float
) -> None:
    arrays = {prunable_weights(trained)[layer]: a for layer, a in weights_of(trained).items()}
    total = int(share * sum(array.size for array in arrays.values()))
    counts = zeros_by_layer(trained, arrays, total, method, digits)
    assert sum(counts.values()) == total
    assert all(0 <= counts[name] < array.size for name, array in arrays.items())


def test_the_sensitivity_lets_each_layer_raise_the_loss_alike(
    trained: Graph, digits: Dataset
) -> None:
    arrays = {prunable_weights(trained)[layer]: a for layer, a in weights_of(trained).items()}
    # At 0.9 the grid of shares is fine, and equal shares are far from equal losses.
    total, part = int(0.9 * sum(a.size for a in arrays.values())), digits.validation
    spread = {}
    for method in ("sensitivity", "uniform"):
        counts = zeros_by_layer(trained, arrays, total, method, digits)
        losses = []
        for name, count in counts.items():
            cut = constant(name, without_smallest(arrays[name], count))
            losses.append(
                mean_loss(replace(trained, tensors={**trained.tensors, name: cut}), digits, part)
            )
        rises = np.array(losses) - mean_loss(trained, digits, part)
        spread[method] = float(rises.max() / rises.min())
    assert spread["sensitivity"] < 1.3 and spread["sensitivity"] < 0.8 * spread["uniform"], spread


def test_layers_may_be_named_and_the_others_stay_whole(trained: Graph, digits: Dataset) -> None:
    found = prune(trained, digits, Pruning({"dense2": 0.75}, rounds=2), QUICK)
    assert zeros(found.graph) == {"dense2": 3072, "dense4": 0}


def test_a_depthwise_layer_stays_whole() -> None:
    assert not any("depthwise" in name for name in prunable_weights(build("mobilenet_v1?size=32")))


def test_the_same_seed_gives_the_same_network_and_a_stopped_pruning_goes_on(
    trained: Graph, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Pruning(0.8, rounds=3)
    whole = prune(trained, digits, wish, QUICK, out=tmp_path / "whole")
    calls: list[int] = []

    def stopping(*arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(magnitude, "train", stopping)
    with pytest.raises(KeyboardInterrupt):
        prune(trained, digits, wish, QUICK, out=tmp_path / "part")
    again = prune(trained, digits, wish, QUICK, out=tmp_path / "part", resume=True)
    assert len(calls) == 4, "the finished round is not trained again"
    assert again.graph.fingerprint() == whole.graph.fingerprint()
    assert again.history == whole.history
    with pytest.raises(UsageError, match="holds a pruning already"):
        prune(trained, digits, wish, QUICK, out=tmp_path / "part")
    with pytest.raises(UsageError, match="another pruning"):
        prune(trained, digits, Pruning(0.7), QUICK, out=tmp_path / "part", resume=True)


def test_zeros_survive_quantization(trained: Graph, digits: Dataset) -> None:
    cut = {layer: without_smallest(a, a.size // 2) for layer, a in weights_of(trained).items()}
    assert all(array.any(axis=1).all() for array in cut.values()), "a dead unit would be cut away"
    named = {prunable_weights(trained)[layer]: array for layer, array in cut.items()}
    constants = {name: constant(name, array) for name, array in named.items()}
    graph = replace(trained, tensors={**trained.tensors, **constants})
    integer = quantize(graph, [digits.train.take(64).samples])
    layers = [node for node in integer.nodes if node.op.rule.weights]
    for real, node in zip(cut.values(), layers, strict=True):
        tensor = integer.tensors[node.inputs[1]]
        assert tensor.data is not None and tensor.data.dtype == np.int8
        assert tensor.quant is not None and not any(tensor.quant.zero_point)
        assert tensor.data.shape == real.shape
        assert not tensor.data[real == 0].any()
        assert np.count_nonzero(tensor.data) > 0.9 * np.count_nonzero(real)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan"), float("inf")])
def test_impossible_shares_are_refused(share: float) -> None:
    with pytest.raises(UsageError, match="not between 0 and 1"):
        Pruning(share)
    with pytest.raises(UsageError, match="not between 0 and 1"):
        Pruning({"dense2": share})


def test_what_cannot_be_pruned_is_said(trained: Graph, digits: Dataset) -> None:
    half = Pruning(0.5)
    with pytest.raises(UsageError, match="is quantized"):
        prune(quantize(trained, [digits.train.take(16).samples]), digits, half)
    name = prunable_weights(trained)["dense2"]
    data = trained.tensors[name].data
    assert data is not None
    broken = data.copy()
    broken[1, 2] = np.nan
    graph = replace(trained, tensors={**trained.tensors, name: constant(name, broken)})
    with pytest.raises(GraphError, match="NaN or infinite"):
        prune(graph, digits, half)
    thin = replace(
        trained, tensors={**trained.tensors, name: constant(name, without_smallest(data, 4000))}
    )
    with pytest.raises(UsageError, match="0 already"):
        prune(thin, digits, half)
    with pytest.raises(UsageError, match="no layer to prune is called 'dense9'"):
        prune(trained, digits, Pruning({"dense9": 0.5}))
    with pytest.raises(UsageError, match="rounds"):
        Pruning(0.5, rounds=0)
    with pytest.raises(UsageError, match="known are sensitivity"):
        Pruning(0.5, method="luck")


def test_a_sparse_network_becomes_sparser(sparse: Pruned, digits: Dataset) -> None:
    found = prune(sparse.graph, digits, Pruning(0.95, rounds=2), QUICK)
    assert found.sparsity == pytest.approx(0.95, abs=3e-4)
    old, new = weights_of(sparse.graph), weights_of(found.graph)
    assert all(not new[layer][old[layer] == 0].any() for layer in old)
