"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.lstm import Lstm
from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.onnx_recurrent import gates, write_layer

_ONNX = (0, 3, 1, 2)
"""ONNX has the gates i, o, f, c; we have i, f, c (g), o."""


def export(op: Lstm, node: OnnxNode) -> None:
    weights, recurrent, bias = gates(node, _ONNX, (3, None))
    write_layer(node, "LSTM", [weights, recurrent, bias], 2, op.reverse)
