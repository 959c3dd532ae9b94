"""Exact integer Winograd convolutions: equal to the direct ones, offered where they are exact."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_jobs import check, make_job
from kernel_machines import EmulatedCore
from node_check import check_node
from test_dsp_kernels import DSP, conv_tensors

from netsuke.ir import Array, Kernel, Quant, Tensor, TensorType, constant
from netsuke.ops.conv2d import Conv2d
from netsuke.ops.conv2d.winograd import FILTERS

SAME = ((1, 1), (1, 1))
OUTPUT = Quant((0.03,), (-20,))


def names(kernels: Any) -> list[int]:
    """The tile sizes of the Winograd kernels among some."""
    return [int(k.function[-1]) for k in kernels if "winograd" in k.function]


def kernels_of(op: Conv2d, inputs: list[Tensor]) -> tuple[Kernel, ...]:
    (kind,) = op.infer(inputs)
    assert isinstance(kind, TensorType)
    return op.kernels(inputs, (Tensor("y", kind.shape, "int8", OUTPUT),), DSP)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 11), st.integers(1, 11)),
    depth=st.integers(1, 11),
    channels=st.integers(1, 5),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    zero=st.integers(-128, 127),
    low=st.sampled_from([-math.inf, 0.0]),
)
def test_tiles_of_any_image_equal_the_direct_convolution(
    size: tuple[int, int], depth: int, channels: int, pads: tuple[int, ...], zero: int, low: float
) -> None:
    padding = (pads[:2], pads[2:])
    if any(n + sum(pad) < 3 for n, pad in zip(size, padding, strict=True)):
        padding = ((2, 2), (2, 2))
    rng = np.random.default_rng(depth)
    inputs = conv_tensors(rng, (*size, depth), (channels, 3, 3, depth), zero)
    found = check_node(Conv2d(padding=padding, low=low), inputs, [OUTPUT], isa=DSP, seed=zero + 128)
    assert names(found) == [4, 2]


@pytest.mark.parametrize("pixel", [-128, 127])
@pytest.mark.parametrize("pattern", ["all", "checkered", "columns"])
def test_extreme_values_stay_exact_though_sums_wrap_on_the_way(pixel: int, pattern: str) -> None:
    """With 16 channels of extremes the products' sums exceed 32 bits; the outputs do not."""
    index = np.indices((9, 9, 16))
    signs = {
        "all": np.ones((9, 9, 16), int),
        "checkered": (-1) ** index.sum(axis=0),
        "columns": (-1) ** index[1],
    }[pattern]
    x = np.clip(signs * pixel, -128, 127).astype(np.int8)
    weights = (127 * signs[:3, :3]).astype(np.int8)[None].repeat(3, axis=0)
    inputs = [
        Tensor("x", x.shape, "int8", Quant((0.05,), (3,))),
        constant("w", weights, Quant((0.0001,) * 3, (0,) * 3, axis=0)),
        constant("b", np.array([0, 9999, -9999], np.int32)),
    ]
    found = check_node(Conv2d(padding=SAME), inputs, [OUTPUT], isa=DSP, feeds=[x])
    assert names(found) == [4, 2]


@pytest.mark.parametrize("tile", [2, 4])
def test_transformed_filters_fit_into_sixteen_bits(tile: int) -> None:
    rows: Array = np.abs(FILTERS[tile]).sum(axis=1)
    assert 128 * rows.max() ** 2 < 1 << 15


@pytest.mark.parametrize(
    ("depth", "tiles"), [(64, [4, 2]), (230, [2]), (200, [4, 2])], ids=["few", "many", "some"]
)
def test_the_larger_tile_is_left_out_where_64_times_a_sum_could_wrap(
    depth: int, tiles: list[int]
) -> None:
    inputs = [
        Tensor("x", (4, 4, depth), "int8", Quant((0.05,), (3,))),
        constant("w", np.full((2, 3, 3, depth), 127, np.int8), Quant((1e-4,), (0,))),
        constant("b", np.zeros(2, np.int32)),
    ]
    assert names(kernels_of(Conv2d(padding=SAME), inputs)) == tiles


@pytest.mark.parametrize(
    ("op", "kernel", "groups"),
    [
        (Conv2d(stride=(2, 1)), (3, 3), 1),
        (Conv2d(dilation=(1, 2)), (3, 3), 1),
        (Conv2d(), (3, 2), 1),
        (Conv2d(groups=2), (3, 3), 2),
    ],
)
def test_other_convolutions_have_no_winograd_kernel(
    op: Conv2d, kernel: tuple[int, int], groups: int
) -> None:
    rng = np.random.default_rng(0)
    inputs = conv_tensors(rng, (9, 9, 4), (4, *kernel, 4 // groups), 3)
    assert not names(kernels_of(op, inputs))


def test_on_a_cortex_m4_tiles_take_half_the_instructions_of_the_direct_kernel() -> None:
    rng = np.random.default_rng(0)
    inputs = conv_tensors(rng, (16, 16, 16), (16, 3, 3, 16), 3)
    op = Conv2d(padding=SAME)
    arrays = [t.data if t.data is not None else np.zeros(t.shape, np.int8) for t in inputs]
    arrays[0] = rng.integers(-128, 128, arrays[0].shape).astype(np.int8)
    y = Tensor("y", (16, 16, 16), "int8", OUTPUT)
    meaning = op.quantized(inputs, (y,), *arrays)
    kernels = [k for k in kernels_of(op, inputs) if "dsp" in k.function]
    jobs = [make_job(k, arrays, [False, True, True], meaning, pointer=4) for k in kernels]
    core = EmulatedCore("cortex-m4", DSP)
    check(jobs, core.run(jobs))
    took = {job.function: count for job, count in zip(jobs, core.instructions, strict=True)}
    direct = min(count for name, count in took.items() if "winograd" not in name)
    assert took["nsk_conv2d_s8_dsp_winograd4"] < 0.55 * direct
    assert took["nsk_conv2d_s8_dsp_winograd2"] < 0.75 * direct
