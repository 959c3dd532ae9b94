"""Transposed convolutions on Armv7E-M DSP: what their kernel is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.couples import Channels, dsp_channels, part_of
from netsuke.ops.requant import Requant


def dsp_kernels(
    geometry: Mapping[str, Any],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """The kernel for a node on a core with DSP instructions; () where it is not exact."""
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "dsp" not in isa or any(quant.zero_point):
        return ()
    channels = dsp_channels(requant, weights.reshape(len(weights), -1), bias)
    if channels is None:
        return ()
    groups, depth = geometry["groups"], weights.shape[3]
    units = len(weights) // groups
    numbers = requant.parameters()
    kept = ("input_zero", "output_zero", "low", "high")
    taps = weights.shape[1] * weights.shape[2]
    words = [
        _words(part_of(channels, group * units, units), requant.input_zero, taps)
        for group in range(groups)
    ]
    fours = groups * -(-units // 4)
    painted = geometry["in_h"] * geometry["in_w"] * taps * fours  # taps that are added, at most
    pixels = geometry["out_h"] * geometry["out_w"]
    return (
        Kernel(
            "nsk_transposed_conv2d_s8_dsp",
            "transposed_conv2d/transposed_conv2d_s8_dsp.c",
            "nsk_transposed_conv2d_packed",
            {
                **{name: geometry[name] for name in geometry if name not in ("in_c", "out_c")},
                **{"depth": depth, "units": units},
                **{name: numbers[name] for name in kept},
            },
            constants={1: np.concatenate(words), 2: None},
            instructions=painted * (35.0 * -(-depth // 4) + 90.0) + pixels * (fours * 85.0 + 60.0),
        ),
    )


def _words(channels: Channels, zero: int, taps: int) -> Array:
    """Fours of channels as `transposed_conv2d_s8_dsp.c` describes them (int32)."""
    count = len(channels.rows)
    missing = -count % 4
    # A tap that paints from outside adds nothing: the zero point goes with each pixel instead.
    bias = channels.bias + zero * channels.rows.astype(np.int64).sum(axis=1)
    rows = channels.rows.reshape(count, taps, -1)
    rows = np.pad(rows, ((0, missing), (0, 0), (0, -rows.shape[2] % 4)))
    quads = rows.reshape(-1, 4, taps, rows.shape[2] // 4, 4).transpose(0, 2, 3, 1, 4)
    order = [[0, 0], [1, 0], [0, 2], [1, 2]], [[0, 1], [1, 1], [0, 3], [1, 3]]
    packed = np.stack(
        [
            np.stack([quads[..., couple + unit, element] for unit, element in word], axis=-1)
            for couple in (0, 2)
            for word in order
        ],
        axis=-2,
    )
    table = np.ascontiguousarray(packed, np.int8).view("<i4").reshape(len(quads), -1)
    fields = (bias, channels.right, channels.multiplier)
    bias, right, multiplier = (np.pad(field, (0, missing)).reshape(-1, 4) for field in fields)
    shifts = np.ascontiguousarray(right.astype(np.int8)).view("<i4")
    whole = np.concatenate([bias, shifts, multiplier, table.astype(np.int64)], axis=1)
    return (whole & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()
