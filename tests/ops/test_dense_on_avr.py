"""Quantized dense layers whose tables stay in program memory."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from node_check import check_node

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.ir import GraphBuilder, Quant, Tensor, constant
from netsuke.ops import ArgMax, Dense
from netsuke.verify import verify

UNO = nk.device("arduino-uno")


@pytest.mark.parametrize(
    ("rows", "units", "depth"), [(1, 1, 1), (1, 7, 30), (3, 4, 9), (1, 2, 300)]
)
def test_the_kernel_equals_the_meaning(rows: int, units: int, depth: int) -> None:
    rng = np.random.default_rng(units)
    scales = tuple(rng.uniform(0.001, 0.02, units).tolist())
    weights = constant(
        "w",
        rng.integers(-127, 128, (units, depth)).astype(np.int8),
        Quant(scales, (0,) * units, 0),
    )
    bias = constant("b", rng.integers(-3000, 3000, units).astype(np.int32))
    x = Tensor("x", (rows, depth), "int8", Quant((0.05,), (-7,)))
    found = check_node(
        Dense(low=-1.0), [x, weights, bias], [Quant((0.11,), (5,))], isa=frozenset({"avr"})
    )
    assert "nsk_dense_s8_avr" in {kernel.function for kernel in found}


def test_sums_of_more_than_24_bits_have_no_kernel() -> None:
    weights = constant("w", np.full((1, 600), 127, np.int8), Quant((0.01,)))
    bias = constant("b", np.zeros(1, np.int32))
    x = Tensor("x", (600,), "int8", Quant((0.05,)))
    (y,) = Dense().infer([x, weights, bias])
    outputs = [Tensor("y", y.shape, y.dtype, Quant((9.0,)))]
    kernels = Dense().kernels([x, weights, bias], outputs, UNO.isa)
    assert "nsk_dense_s8_avr" not in {kernel.function for kernel in kernels}


@pytest.mark.skipif(
    shutil.which("avr-gcc") is None or shutil.which("simavr") is None,
    reason="avr-gcc or simavr is missing: no AVR is run",
)
def test_a_quantized_network_runs_on_an_uno() -> None:
    rng = np.random.default_rng(0)
    builder = GraphBuilder("network")
    tensor = builder.input("x", (20,), "int8", Quant((0.05,), (3,)))
    for units, depth in ((8, 20), (4, 8)):
        weights = rng.integers(-127, 128, (units, depth)).astype(np.int8)
        w = builder.constant("w", weights, Quant((0.01,)))
        b = builder.constant("b", rng.integers(-999, 999, units).astype(np.int32))
        tensor = builder.one(Dense(low=0.0), tensor, w, b, quant=Quant((0.1,), (-128,)))
    graph = builder.build((builder.one(ArgMax(), tensor),))
    found = verify(compile_graph(graph, UNO), on=("host", "simavr"), vectors=12)
    assert found.bit_exact
    assert found.certificate["sizes"]["data"] == 0
