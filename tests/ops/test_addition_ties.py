"""Additions whose ties may go upward give what additions with ties away from zero give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.ir import Array, Quant, Tensor
from netsuke.ops.add import Add
from netsuke.ops.add.ties import without_ties

SCALES = st.one_of(st.sampled_from([0.5, 0.25, 0.1, 0.2]), st.floats(0.01, 0.5))


def all_pairs(parameters: dict[str, int]) -> Array:
    """What the kernel computes for (first, second) operand, ties upward; (256, 256)."""
    p = parameters
    values: Array = np.arange(-128, 128, dtype=np.int64)
    major, minor = (values[None, :], values[:, None])
    if not p["swapped"]:
        major, minor = values[:, None], values[None, :]
    sums = (major << 20) + p["offset_major"]
    if p["right_minor"]:
        product = ((minor << 21) + p["offset_minor"]) * p["multiplier_minor"]
        other = (((product + (1 << 31)) >> 32) + p["round_minor"]) >> p["right_minor"]
        sums = sums + 2 * other
    else:
        sums = sums + (minor << 20)
    scaled = (sums * p["multiplier_y"] + (1 << 31)) >> 32
    return np.clip((scaled + p["round_y"]) >> p["right_y"], -128, 127)


@settings(max_examples=40, deadline=None)
@given(scales=st.tuples(SCALES, SCALES, SCALES), zeros=st.tuples(*[st.integers(-128, 127)] * 3))
def test_the_factors_that_were_found_give_the_meaning_for_all_pairs(
    scales: tuple[float, ...], zeros: tuple[int, ...]
) -> None:
    quants = [
        Quant((float(np.float32(scale)),), (zero,))
        for scale, zero in zip(scales, zeros, strict=True)
    ]
    a, b, y = (Tensor(name, (256, 256), "int8", q) for name, q in zip("aby", quants, strict=True))
    op = Add()
    parameters = op._plain((a, b), y)
    upward = parameters and without_ties(parameters)
    if not upward:
        return
    values = np.arange(-128, 128).astype(np.int8)
    first, second = np.broadcast_arrays(values[:, None], values[None, :])
    (meaning,) = op.quantized((a, b), (y,), first, second)
    np.testing.assert_array_equal(all_pairs(upward), meaning)


@pytest.mark.parametrize(
    ("scales", "found"), [((0.1, 0.037, 0.1), True), ((0.25, 0.1, 0.1), False)]
)
def test_most_additions_need_no_ties_and_some_do(scales: tuple[float, ...], found: bool) -> None:
    quants = [Quant((float(np.float32(scale)),), (3,)) for scale in scales]
    a, b, y = (Tensor(name, (8,), "int8", q) for name, q in zip("aby", quants, strict=True))
    parameters = Add()._plain((a, b), y)
    assert parameters is not None
    assert (without_ties(parameters) is not None) == found
    dsp = next(k for k in Add().kernels((a, b), (y,), frozenset({"dsp"})) if "dsp" in k.function)
    assert dsp.parameters["ties"] == (not found)
