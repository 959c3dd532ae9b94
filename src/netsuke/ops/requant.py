"""Per-channel requantization of int32 accumulators: the part that conv2d, depthwise, dense and
transposed convolution share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Tensor
from netsuke.ops.fixed_point import INT32_MAX, clamp_bounds, quantize_multiplier, requantize


@dataclass(frozen=True, slots=True, eq=False)
class Requant:
    """Integers that turn accumulators of channels into int8.

    Attributes
    ----------
    input_zero, output_zero
        Zero points.
    low, high
        Stored bounds of the fused clamp.
    multiplier, shift
        int32 and int8 arrays, one element a channel.
    bound
        Largest magnitude that any accumulator can reach, at most 2^31 - 1 by proof.
    """

    input_zero: int
    output_zero: int
    low: int
    high: int
    multiplier: Array
    shift: Array
    bound: int

    def apply(self, accumulators: Array) -> Array:
        """int8 outputs of accumulators whose last axis is the channel."""
        scaled = requantize(accumulators, self.multiplier, self.shift) + self.output_zero
        return np.clip(scaled, self.low, self.high).astype(np.int8)

    def parameters(self) -> dict[str, int | float | Array]:
        """The fields that every accumulating kernel's parameters have."""
        return {
            "input_zero": self.input_zero,
            "output_zero": self.output_zero,
            "low": self.low,
            "high": self.high,
            "multiplier": self.multiplier,
            "shift": self.shift,
        }


def channel_requant(
    inputs: Sequence[Tensor],
    output: Tensor,
    channel_axis: int,
    low: float,
    high: float,
    single_scale_in_float32: bool = False,
) -> Requant:
    """Prepare the requantization of (activation, weights, bias) -> output.

    real factor of channel k = input scale · weight scale k / output scale.

    Overflow is excluded here: |bias_k| + Σ|w_k| · max|x - zero| must stay below 2^31 for every
    channel, for any input whatsoever.

    Parameters
    ----------
    inputs
        int8 activation, int8 weights, int32 bias.
    output
        int8 activation.
    channel_axis
        Axis of the weights that is the output channel.
    low, high
        Real bounds of the fused clamp.
    single_scale_in_float32
        Multiply a single weight scale with the input scale in float32 (LiteRT's dense layers).

    Raises
    ------
    QuantizationError
        A tensor without quantization, a per-channel zero point other than 0, or an accumulator
        that could overflow.
    """
    activation, weights, bias = inputs
    if activation.quant is None or weights.quant is None or output.quant is None:
        raise QuantizationError(output.name, "input, weights and output must all be quantized")
    if weights.data is None or bias.data is None:
        raise QuantizationError(output.name, "weights and bias must be constants")
    if len(weights.quant.zero_point) > 1 and any(weights.quant.zero_point):
        raise QuantizationError(weights.name, "per-channel weights must have zero points 0")
    channels = weights.shape[channel_axis]
    in_scale, out_scale = activation.quant.scale[0], output.quant.scale[0]
    scales = weights.quant.scale
    if len(scales) == 1 and single_scale_in_float32:
        product = float(np.float32(in_scale) * np.float32(scales[0]))
        factors = [product / out_scale]
    else:
        factors = [in_scale * scale / out_scale for scale in scales]
    pairs = [quantize_multiplier(factor) for factor in factors]
    if len(pairs) == 1:
        pairs *= channels

    zero = activation.quant.zero_point[0]
    smallest, largest = activation.quant.range
    reach = max(abs(smallest - zero), abs(largest - zero))
    axes = tuple(axis for axis in range(len(weights.shape)) if axis != channel_axis)
    centred = weights.data.astype(np.int64) - weights.quant.zero_point[0]
    bounds = np.abs(centred).sum(axis=axes) * reach + np.abs(bias.data.astype(np.int64))
    worst = int(bounds.argmax()) if bounds.size else 0
    bound = int(bounds.max(initial=0))
    if bound > INT32_MAX:
        raise QuantizationError(
            output.name,
            f"channel {worst} could reach an accumulator of {bound:,}, beyond int32 "
            f"({INT32_MAX:,}): |bias| + sum|w|*{reach}; use smaller weights or split the layer",
        )
    lower, upper = clamp_bounds(low, high, output.quant)
    return Requant(
        input_zero=zero,
        output_zero=output.quant.zero_point[0],
        low=lower,
        high=upper,
        multiplier=np.array([m for m, _ in pairs], np.int32),
        shift=np.array([s for _, s in pairs], np.int8),
        bound=bound,
    )


def folded_bias(
    inputs: Sequence[Tensor], requant: Requant, channel_axis: int, offset: int = 0
) -> Array | None:
    """bias - (input zero + offset) · Σ w for every channel: the bias of kernels that add the offset
    to their input and subtract no zero point.

    None where weights have a zero point, or where a partial sum with this bias could overflow.

    Parameters
    ----------
    inputs
        int8 activation, int8 weights, int32 bias.
    requant
        From `channel_requant`.
    channel_axis
        Axis of the weights that is the output channel.
    offset
        0, or 128 for kernels that work on unsigned bytes.
    """
    _, weights, bias = inputs
    assert weights.data is not None and bias.data is not None and weights.quant is not None
    if any(weights.quant.zero_point):
        return None
    axes = tuple(axis for axis in range(len(weights.shape)) if axis != channel_axis)
    wide = weights.data.astype(np.int64)
    folded = bias.data.astype(np.int64) - (requant.input_zero + offset) * wide.sum(axis=axes)
    if (np.abs(folded) + (128 + offset) * np.abs(wide).sum(axis=axes)).max(initial=0) > INT32_MAX:
        return None
    return folded.astype(np.int32)
