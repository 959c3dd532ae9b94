"""Operators as ONNX and PyTorch mean them, put together from ours.

Both have a batch axis and keep channels before the image; our graphs have neither. This package
is the one place where the two worlds meet: `Value` remembers where the batch axis stood,
`Session` appends our operators and finds out whether an operator touches that axis, and the other
files say how each family (convolution, pooling ...) is put together, as Transpose -> our
operator -> Transpose. A pass removes the transposes afterwards.
"""
