"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import reduction

export = reduction("ReduceMean")
