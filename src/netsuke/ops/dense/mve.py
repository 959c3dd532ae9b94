"""Fully connected layers on MVE: what their kernels are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netsuke.ir import Kernel, Tensor
from netsuke.ops.conv2d.mve import mve_kernels as convolution_kernels
from netsuke.ops.dense.column import column_geometry
from netsuke.ops.quads import quad_channels, quad_instructions, quad_words
from netsuke.ops.requant import Requant


def mve_kernels(
    shape: Mapping[str, int],
    requant: Requant,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """Kernels for a node on a core with MVE; () where none is exact.

    From two rows on, the convolution's kernel of an image of one column serves too: it uses every
    weight for two rows at once.
    """
    weights, bias, quant = inputs[1].data, inputs[2].data, inputs[1].quant
    assert weights is not None and bias is not None and quant is not None
    if "mve" not in isa or any(quant.zero_point):
        return ()
    channels = quad_channels(requant, weights, bias)
    if channels is None:
        return ()
    numbers = requant.parameters()
    kept = {name: numbers[name] for name in ("output_zero", "low", "high")}
    rows, units, depth = (shape[name] for name in ("rows", "units", "depth"))
    kernel = Kernel(
        "nsk_dense_s8_mve",
        "dense/dense_s8_mve.c",
        "nsk_dense_packed",
        {**shape, **kept},
        constants={1: quad_words(channels), 2: None},
        instructions=rows * (quad_instructions(units, depth, 1) + 25) + 20,
    )
    if rows < 2:
        return (kernel,)
    geometry = {**column_geometry(shape), "groups": 1}
    return (*convolution_kernels(geometry, requant, inputs, outputs, isa), kernel)
