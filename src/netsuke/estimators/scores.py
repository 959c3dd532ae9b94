"""Linear scores of integers as the last operator of a graph."""

from __future__ import annotations

import numpy as np

from netsuke.estimators.tiny import Task
from netsuke.ir import Array, GraphBuilder
from netsuke.ops import Projection

WIDEST = 32767


def add_scores(
    builder: GraphBuilder, z: str, weights: Array, bias: Array, step: float, task: Task
) -> str:
    """Append ``(weights · z + bias) >> s`` as int16, s the least shift that no input exceeds.

    Parameters
    ----------
    builder, z
        The graph and its int8 vector to be weighed.
    weights
        Integers ``(outputs, size)`` within int8.
    bias
        Integers ``(outputs,)``.
    step
        A score of 1 without shift is this much of the standardized target.
    task
        Names the output's quantization.

    Returns
    -------
    str
        Name of the scores.
    """
    bias = np.clip(np.rint(bias), -(1 << 30), 1 << 30).astype(np.int64)
    bound = int((np.abs(weights).sum(axis=1) * 128 + np.abs(bias)).max(initial=0))
    shift = max(0, (bound + 1).bit_length() - 15)
    return builder.one(
        Projection(shift, -WIDEST - 1, WIDEST, "int16"),
        z,
        builder.constant("weights", weights.astype(np.int8)),
        builder.constant("bias", (bias + ((1 << shift) >> 1)).astype(np.int32)),
        name="scores",
        quant=task.quant(step * 2.0**shift, 16),
    )
