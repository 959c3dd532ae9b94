"""Graph → ONNX: float, or standard QDQ (QuantizeLinear, DequantizeLinear) for integers."""

from netsuke.codegen.onnx.writer import to_onnx

__all__ = ["to_onnx"]
