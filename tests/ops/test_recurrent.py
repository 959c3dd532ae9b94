"""LSTM and GRU: C equals NumPy, integers stay close to the reals, PyTorch is an oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Array, Quant, Tensor, constant
from netsuke.ops import Gru, Lstm
from netsuke.ops.gates import sigmoid_16, tanh_16

STATE = Quant((1 / 128,), (0,))
CELL = Quant((1 / 32,), (3,))
sizes = st.integers(1, 9)


def real_inputs(op, steps: int, features: int, hidden: int, seed: int) -> list[Tensor]:
    """x, weights, biases and first states, as small as trained ones."""
    rng = np.random.default_rng(seed)
    rows = op.gates * hidden
    shapes = [(rows, features), (rows, hidden), *[(rows,)] * (1 if op.gates == 4 else 2)]
    names = ["w", "r", "b", "q"]
    inputs = [Tensor("x", (steps, features))]
    for name, shape in zip(names, shapes, strict=False):
        scale = 1.5 / np.sqrt(shape[-1]) if len(shape) == 2 else 0.3
        inputs.append(constant(name, (rng.normal(size=shape) * scale).astype(np.float32)))
    states = ("h0", "c0")[: op.gates - 2]
    first = {name: rng.uniform(-0.9, 0.9, hidden).astype(np.float32) for name in states}
    return [*inputs, *(constant(name, value) for name, value in first.items())]


def stored_inputs(inputs: list[Tensor], source: Quant, per_row: bool) -> list[Tensor]:
    """The same with int8 x and weights."""
    stored = [Tensor("x", inputs[0].shape, "int8", source)]
    for tensor in inputs[1:3]:
        largest = np.abs(tensor.data).max(axis=1 if per_row else None)
        scale = np.maximum(np.atleast_1d(largest), 1e-6) / 127
        axis = 0 if per_row else None
        quant = Quant(tuple(map(float, scale)), (0,) * scale.size, axis)
        stored.append(constant(tensor.name, quant.quantize(tensor.data), quant))
    return [*stored, *inputs[3:]]


def output_quants(op) -> list[Quant]:
    return [Quant((1 / 120,), (5,)), STATE, *([CELL] if op.gates == 4 else [])]


OPS = [Lstm(), Lstm(reverse=True), Gru(), Gru(reset_after=True), Gru(reverse=True)]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(OPS), sizes, sizes, sizes, st.booleans(), st.integers(0, 99))
def test_kernels_equal_their_meaning(op, steps, features, hidden, per_row, seed) -> None:
    inputs = real_inputs(op, steps, features, hidden, seed)
    check_node(op, inputs, tolerance=1e-4)
    source = Quant((0.02 + seed / 1000,), (seed - 50,))
    check_node(op, stored_inputs(inputs, source, per_row), output_quants(op))


@pytest.mark.parametrize("op", OPS, ids=repr)
def test_states_may_be_stored_activations(op) -> None:
    inputs = stored_inputs(real_inputs(op, 3, 4, 5, 1), Quant((0.03,), (-4,)), True)
    first = 4 if op.gates == 4 else 5
    for number in range(first, len(inputs)):
        inputs[number] = Tensor(f"state{number}", (5,), "int8", Quant((0.009,), (number,)))
    check_node(op, inputs, output_quants(op))


@pytest.mark.parametrize("op", OPS, ids=repr)
def test_integers_stay_close_to_the_reals(op) -> None:
    inputs = real_inputs(op, 40, 10, 16, 3)
    source = Quant((1 / 40,), (0,))
    stored = stored_inputs(inputs, source, True)
    x = np.random.default_rng(4).integers(-128, 128, (40, 10)).astype(np.int8)
    constants = [t.quant.dequantize(t.data) if t.quant else t.data for t in stored[1:]]
    real = op.reference(source.dequantize(x), *constants)
    outputs = [Tensor(f"y{i}", real[i].shape, "int8", q) for i, q in enumerate(output_quants(op))]
    integer = op.quantized(stored, outputs, x, *(t.data for t in stored[1:]))
    for tensor, ours, wanted in zip(outputs, integer, real, strict=True):
        error = tensor.quant.dequantize(ours) - wanted
        assert np.abs(error).max() < 8 * tensor.quant.scale[0], tensor.name
        assert np.sqrt((error**2).mean()) < 2 * tensor.quant.scale[0], tensor.name


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_real_meaning_is_pytorchs(kind) -> None:
    torch = pytest.importorskip("torch", reason="left out: PyTorch is the oracle")
    hidden, x = 6, np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    module = (torch.nn.LSTM if kind == "lstm" else torch.nn.GRU)(4, hidden)
    weights = {name: value.detach().numpy() for name, value in module.named_parameters()}
    w, r = weights["weight_ih_l0"], weights["weight_hh_l0"]
    b, q = weights["bias_ih_l0"], weights["bias_hh_l0"]
    zero = np.zeros(hidden, np.float32)
    if kind == "lstm":
        y, h, c = Lstm().reference(x, w, r, b + q, zero, zero)
        wanted, (last_h, last_c) = module(torch.tensor(x))
        np.testing.assert_allclose(c, last_c[0].detach(), atol=1e-6)
    else:

        def reorder(rows: Array) -> Array:
            return np.concatenate([rows[hidden : 2 * hidden], rows[:hidden], rows[2 * hidden :]])

        y, h = Gru(reset_after=True).reference(x, *map(reorder, (w, r, b, q)), zero)
        wanted, last_h = module(torch.tensor(x))
    np.testing.assert_allclose(y, wanted.detach(), atol=1e-6)
    np.testing.assert_allclose(h, last_h[0].detach(), atol=1e-6)


def test_the_gates_functions_are_within_a_thousandth() -> None:
    x = np.arange(-32768, 32768)
    assert np.abs(sigmoid_16(x) / 2**15 - 1 / (1 + np.exp(-x / 4096))).max() < 1e-4
    assert np.abs(tanh_16(x) / 2**15 - np.tanh(x / 4096)).max() < 1e-3


def test_weights_whose_sums_could_overflow_are_refused() -> None:
    inputs = stored_inputs(real_inputs(Lstm(), 1, 2, 1, 0), Quant((1.0,), (0,)), True)
    inputs[3] = constant("b", np.full(4, 1e30, np.float32))
    outputs = [Tensor(f"y{i}", s, "int8", STATE) for i, s in enumerate([(1, 1), (1,), (1,)])]
    with pytest.raises(QuantizationError, match="beyond int32"):
        Lstm().kernels(inputs, outputs, frozenset())


def test_weights_of_another_size_are_named() -> None:
    inputs = real_inputs(Gru(), 2, 3, 4, 0)
    inputs[1] = constant("w", np.zeros((12, 5), np.float32))
    with pytest.raises(GraphError, match="gru takes x"):
        Gru().infer(inputs)
