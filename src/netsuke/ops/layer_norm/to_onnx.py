"""Write it as ONNX."""

from __future__ import annotations

import numpy as np

from netsuke.ops.layer_norm import LayerNorm
from netsuke.ops.onnx_node import OnnxNode


def export(op: LayerNorm, node: OnnxNode) -> None:
    rank = len(node.inputs[0].shape)
    axis = op.axis % rank
    inner = node.inputs[0].shape[axis:]
    vectors = [node.weights(index, lambda v: np.broadcast_to(v, inner), 0) for index in (1, 2)]
    y = node.emit(
        "LayerNormalization",
        [node.read(0, tuple(range(rank))), *vectors],
        axis=axis - rank,
        epsilon=op.epsilon,
    )
    node.write(y)
