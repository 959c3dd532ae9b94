"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.gru import Gru
from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.onnx_recurrent import gates, write_layer


def export(op: Gru, node: OnnxNode) -> None:
    weights, recurrent, bias = gates(node, (0, 1, 2), (3, 4))
    after = int(op.reset_after)
    write_layer(node, "GRU", [weights, recurrent, bias], 1, op.reverse, linear_before_reset=after)
