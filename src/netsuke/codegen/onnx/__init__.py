"""Graph → ONNX: float, or standard QDQ for integers. (The lead writes this room's ONNX side.)"""
