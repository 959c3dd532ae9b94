"""How each operator is written in ONNX: one family a file."""
