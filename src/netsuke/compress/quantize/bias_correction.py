"""Bias correction (Nagel et al. 2019, arXiv:1906.04721, section 4.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from netsuke.ir import Array, Node, Tensor
from netsuke.passes.linear import with_bounds


def expected_shift(node: Node, tensors: Mapping[str, Tensor], mean: Array, rounded: Array) -> Array:
    """How much rounding the weights shifts each output channel of a linear layer, in the mean.

    With ε = Ŵ - W the mean of a layer's output moves by E[ε·x] = ε·E[x], because the layer is
    linear; it is averaged over positions. `mean` is the mean input of the float graph over
    the calibration samples.

    Returns
    -------
    ndarray
        One number an output channel, to be subtracted from the bias.
    """
    (index,) = node.op.rule.weights
    weights = tensors[node.inputs[index]].data
    assert weights is not None and node.op.rule.bias is not None
    bias = np.zeros(tensors[node.inputs[node.op.rule.bias]].shape)
    op = with_bounds(node.op, -math.inf, math.inf)
    difference = rounded.astype(np.float64) - weights
    (shift,) = op.reference(mean.astype(np.float64), difference, bias)
    return shift.reshape(-1, bias.size).mean(axis=0)
