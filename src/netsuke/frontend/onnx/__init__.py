"""ONNX: any opset from 7, float, QDQ and QOperator models, become a `Graph`.

`load_onnx` reads, checks and imports a file; `supported_operators` lists what it knows. The
operators themselves are in the files of `operators/`, one short function each.
"""

from __future__ import annotations

from netsuke.frontend.onnx.importer import load_onnx
from netsuke.frontend.onnx.registry import supported_operators

__all__ = ["load_onnx", "supported_operators"]
