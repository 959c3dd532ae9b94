"""Products of matrices."""

from __future__ import annotations

from netsuke.frontend.nchw import linear
from netsuke.frontend.nchw.value import Value
from netsuke.frontend.onnx.registry import Call, converts


@converts("MatMul")
def matmul(call: Call) -> Value:
    return linear.matmul(call.session, call[0], call[1])


@converts("Gemm")
def gemm(call: Call) -> Value:
    return linear.gemm(
        call.session,
        call[0],
        call[1],
        call.optional(2),
        call.real("alpha", 1.0),
        call.real("beta", 1.0),
        call.flag("transA"),
        call.flag("transB"),
    )
