"""Converters, one function an ONNX operator, one file a family; importing a file registers it."""
