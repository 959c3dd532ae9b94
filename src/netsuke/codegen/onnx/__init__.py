"""Write a graph as an ONNX file."""

from __future__ import annotations

from netsuke.codegen.onnx.export import to_onnx

__all__ = ["to_onnx"]
