"""How the small models learn: gradients, budgets of bytes, powers of two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.estimators.budget import coded_size, largest_entries
from netsuke.estimators.grid import fit_grid
from netsuke.estimators.training import losses
from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.bonsai_network import BonsaiNetwork
from netsuke.estimators.training.mlp_network import MlpNetwork
from netsuke.estimators.training.phases import Schedule, train
from netsuke.estimators.training.proto_network import ProtoNetwork
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ops.projection.coding import smallest_coding

NONE = np.zeros((0, 0))


def network(name: str, outputs: int, loss: losses.Loss, rng: np.random.Generator) -> Any:
    if name == "bonsai":
        return BonsaiNetwork(5, outputs, 2, 3, loss, False, 8, 0.0, 0.0)
    if name == "bonsai, one gate":
        return BonsaiNetwork(5, outputs, 2, 3, loss, True, 8, 0.0, 0.0)
    if name == "mlp":
        return MlpNetwork(5, outputs, 4, loss, 8, 0.0)
    start = {
        "projection": rng.normal(size=(3, 5)),
        "offset": rng.normal(size=3),
        "places": rng.normal(size=(6, 3)),
        "scores": rng.normal(size=(6, outputs)),
    }
    return ProtoNetwork(5, outputs, 3, 6, loss, 8, 0.4, 0.0, start)


@pytest.mark.parametrize("name", ["bonsai", "bonsai, one gate", "mlp", "proto"])
@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "hinge", "squared"])
def test_gradients_are_slopes(name: str, loss: str) -> None:
    rng = np.random.default_rng(3)
    outputs = 3 if loss == "cross_entropy" else 1
    model = network(name, outputs, getattr(losses, loss), rng)
    params: Params = {k: v.astype(np.float64) for k, v in model.initial(rng, NONE, NONE).items()}
    x = rng.normal(size=(7, 5)) * 0.5
    targets = rng.random((7, outputs)) if outputs > 1 else rng.random(7)
    if loss == "cross_entropy":
        targets /= targets.sum(axis=1, keepdims=True)
    if loss == "squared":
        targets = targets.reshape(7, 1)
    weights = rng.random(7)
    batch = (x, targets, weights, 0.7, True)
    _, gradients = model.gradients(params, *batch)
    for key, value in params.items():
        slope = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {**params, key: value.copy()}
                moved[key][place] += step
                ends.append(model.gradients(moved, *batch)[0])
            slope[place] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(gradients[key], slope, atol=2e-6, err_msg=key)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 500),
    budget=st.integers(0, 900),
    bits=st.sampled_from([4, 8]),
)
def test_what_a_budget_keeps_is_coded_within_it(
    seed: int, columns: int, budget: int, bits: int
) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(3, columns))
    kept = largest_entries(matrix, budget, bits)
    weights = (kept * (7 if bits == 4 else 100)).astype(np.int8)
    assert smallest_coding(weights, 0).size == coded_size(kept, bits)
    if budget >= kept.shape[0]:
        assert coded_size(kept, bits) <= budget
    smallest = np.abs(matrix[kept]).min(initial=np.inf)
    assert np.abs(matrix[~kept]).max(initial=0) <= smallest


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(2, 8))
def test_rounding_is_off_by_half_a_step_except_for_outliers(seed: int, bits: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=30)
    form = PowerOfTwo(bits)
    exponent = form.exponent(matrix)
    integers = form.integers(matrix, exponent)
    assert np.abs(integers).max() <= 2 ** (bits - 1) - 1
    inside = np.abs(integers) < form.limit
    assert (np.abs(form.rounded(matrix) - matrix)[inside] <= 2.0 ** -(exponent + 1) + 1e-12).all()


def test_sparsity_of_a_trained_matrix_is_that_of_its_budget() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 40)).astype(np.float32)
    targets = (x[:, 0] + x[:, 7] > 0).astype(np.float32)
    model = MlpNetwork(40, 1, 4, losses.hinge, 4, 1e-3)
    data = (x, targets, np.ones(200, np.float32))
    params = train(
        model, data, lambda matrix: largest_entries(matrix, 24, 4), Schedule(600, 0.02, 64), rng
    )
    used = np.flatnonzero(params["projection"].any(axis=0))
    assert coded_size(params["projection"] != 0, 4) <= 24
    assert {0, 7} <= set(used.tolist())


def test_small_integers_stay_and_other_features_get_a_grid() -> None:
    rng = np.random.default_rng(0)
    ones = np.ones(50)
    pixels = rng.integers(0, 17, (50, 3)).astype(float)
    pixels[0] = 16
    assert fit_grid(pixels, ones).shown == "int8"
    np.testing.assert_array_equal(fit_grid(pixels, ones).stored(pixels), pixels)
    grid = fit_grid(pixels * 15, ones)
    assert grid.shown == "uint8"
    np.testing.assert_array_equal(grid.stored(pixels * 15), pixels * 15 - 128)
    reals = rng.normal([1000.0, 0.0, -3e-4], [1.0, 50.0, 1e-5], (50, 3))
    grid = fit_grid(reals, ones)
    assert grid.shown == "float32"
    back = (grid.stored(reals).astype(float) - grid.zero) * grid.scale
    assert (np.abs(back - reals) <= 1.01 * grid.scale).all()
    np.testing.assert_allclose(grid.scale / reals.std(axis=0), grid.scale[0] / reals[:, 0].std())
