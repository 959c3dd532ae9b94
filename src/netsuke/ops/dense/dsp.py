"""Fully connected layers on Armv7E-M DSP: what their kernels are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.conv2d.dsp import dsp_kernels as convolution_kernels
from netsuke.ops.couples import Channels, dsp_channels
from netsuke.ops.dense.column import column_geometry
from netsuke.ops.requant import Requant


def dsp_kernels(
    shape: Mapping[str, int],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on a core with DSP instructions; () where none is exact.

    The convolution's kernel of an image of one column serves too. From four rows on it is faster:
    it uses every weight for four rows at once. Before, it may save the code of the other one.
    """
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "dsp" not in isa or any(quant.zero_point):
        return ()
    channels = dsp_channels(requant, weights, bias)
    if channels is None:
        return ()
    numbers = requant.parameters()
    kept = {name: numbers[name] for name in ("output_zero", "low", "high")}
    rows, units, depth = (shape[name] for name in ("rows", "units", "depth"))
    quads, groups = -(-depth // 4), -(-units // 4)
    kernel = Kernel(
        "nsk_dense_s8_dsp",
        "dense/dense_s8_dsp.c",
        "nsk_dense_quads",
        {**shape, **kept, **_scales(channels)},
        constants={1: _words(channels), 2: None},
        instructions=float(rows * (groups * (20 * quads + depth // 16 * 2 + 51) + 65)),
    )
    shared = convolution_kernels(column_geometry(shape), requant, inputs, outputs, isa)
    return (kernel, *shared) if rows < 4 else (*shared, kernel)


def _words(channels: Channels) -> Array:
    """Groups of four units as `dense_s8_dsp.c` describes them."""
    units, depth = channels.rows.shape
    missing = -units % 4
    rows = np.pad(channels.rows, ((0, missing), (0, -depth % 4))).reshape(-1, 4, -(-depth // 4), 4)
    if depth % 4:
        rows = np.roll(rows, 1, axis=2)  # the incomplete quad goes first
    bias = np.pad(channels.bias, (0, missing)).reshape(-1, 4)
    quads = rows.transpose(0, 2, 1, 3)  # group, quad, unit, element
    order = [[0, 0], [1, 0], [0, 2], [1, 2]], [[0, 1], [1, 1], [0, 3], [1, 3]]
    words = np.stack(
        [
            np.stack([quads[:, :, couple + unit, element] for unit, element in word], axis=-1)
            for couple in (0, 2)
            for word in order
        ],
        axis=2,
    )  # group, quad, word, byte
    packed = np.ascontiguousarray(words, np.int8).view("<i4").reshape(len(bias), -1)
    return np.concatenate([_as_words(bias), packed], axis=1)


def _scales(channels: Channels) -> dict[str, int | float | Array]:
    """The table of scales; one group's where all units have one scale, as per-tensor weights do."""
    missing = -len(channels.right) % 4
    fields = (channels.right.astype(np.int8), channels.multiplier)
    right, multiplier = (np.pad(field, (0, missing), "edge").reshape(-1, 4) for field in fields)
    shifts = np.ascontiguousarray(right).view("<i4")
    table = _as_words(np.concatenate([multiplier[:, :1], shifts, multiplier[:, 1:]], axis=1))
    shared = bool((table == table[0]).all())
    return {"scales": table[:1] if shared else table, "scale_step": 0 if shared else 5}


def _as_words(numbers: Array) -> Array:
    return (numbers & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
