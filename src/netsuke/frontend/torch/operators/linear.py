"""Products of matrices."""

from __future__ import annotations

from netsuke.frontend.nchw import linear, pointwise
from netsuke.frontend.nchw.value import Value
from netsuke.frontend.torch.registry import Call, converts


@converts("linear")
def linear_(call: Call) -> Value:
    s, x, weights, bias = call.session, call["input"], call["weight"], call.get("bias")
    if weights.data is not None:
        return linear.dense(s, x, weights, bias)
    y = linear.matmul(s, x, s.transpose(weights, (1, 0)))
    return y if bias is None else pointwise.add(s, y, bias)


@converts("addmm")
def addmm(call: Call) -> Value:
    beta, alpha = float(call.get("beta", 1)), float(call.get("alpha", 1))
    return linear.gemm(call.session, call["mat1"], call["mat2"], call["self"], alpha, beta)


@converts("mm", "bmm")
def mm(call: Call) -> Value:
    return linear.matmul(call.session, call["self"], call["mat2"])


@converts("matmul")
def matmul(call: Call) -> Value:
    return linear.matmul(call.session, call["self"], call["other"])


@converts("baddbmm")
def baddbmm(call: Call) -> Value:
    s = call.session
    y = linear.matmul(s, call["batch1"], call["batch2"])
    alpha, beta = float(call.get("alpha", 1)), float(call.get("beta", 1))
    if alpha != 1.0:
        y = pointwise.multiply(s, y, pointwise.scalar(s, alpha))
    addend = call["self"]
    if beta != 1.0:
        addend = pointwise.multiply(s, addend, pointwise.scalar(s, beta))
    return pointwise.add(s, y, addend)
