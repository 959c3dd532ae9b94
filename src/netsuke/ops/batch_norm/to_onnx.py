"""Write it as ONNX."""

from __future__ import annotations

import numpy as np

from netsuke.ops.batch_norm import BatchNorm
from netsuke.ops.onnx_node import OnnxNode, channels_first, clamped


def export(op: BatchNorm, node: OnnxNode) -> None:
    order = channels_first(len(node.inputs[0].shape))
    vectors = [node.weights(index, np.asarray, 0) for index in range(1, 5)]
    y = node.emit("BatchNormalization", [node.read(0, order), *vectors], epsilon=op.epsilon)
    node.write(clamped(node, y, op.low, op.high), order)
