"""Products of matrices."""

from __future__ import annotations

from netsuke.frontend.nchw.convolution import bias_or_zeros
from netsuke.frontend.nchw.pointwise import add, multiply, scalar
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ops import Dense, Matmul


def dense(session: Session, x: Value, weights: Value, bias: Value | None) -> Value:
    """x ``(..., depth)`` times constant weights ``(units, depth)``, plus bias."""
    x = session.free(x, -1)
    return session.emit(Dense(), x, weights, bias_or_zeros(session, bias, weights.shape[0]))


def matmul(session: Session, a: Value, b: Value) -> Value:
    """NumPy's matmul."""
    if a.rank == 0 or b.rank == 0:
        raise CannotImportError("multiplies a scalar as a matrix")
    if b.data is not None and b.rank == 2 and a.data is None:
        return dense(session, a, session.transpose(b, (1, 0)), None)
    if b.rank == 1:
        b = session.free(b, 0)
        column = session.reshape(b, (*b.shape, 1), b.batch)
        y = matmul(session, a, column)
        return session.reshape(y, y.shape[:-1], y.batch)
    if a.rank == 1:
        a = session.free(a, 0)
        y = matmul(session, session.reshape(a, (1, *a.shape), a.batch), b)
        y = session.free(y, -2)
        batch = y.batch if y.batch is None or y.batch < y.rank - 2 else y.batch - 1
        return session.reshape(y, (*y.shape[:-2], y.shape[-1]), batch)
    a, b = session.free(a, -1, -2), session.free(b, -1, -2)
    (left, right), batch = session.align((a, b))
    return session.emit(Matmul(), left, right, batch=batch)


def gemm(
    session: Session,
    a: Value,
    b: Value,
    c: Value | None,
    alpha: float = 1.0,
    beta: float = 1.0,
    turn_a: bool = False,
    turn_b: bool = False,
) -> Value:
    """alpha · A B + beta · C, with A and B turned if asked."""
    if a.rank != 2 or b.rank != 2:
        raise CannotImportError(f"takes matrices, not {list(a.shape)} and {list(b.shape)}")
    if turn_a:
        a = session.transpose(a, (1, 0))
    if alpha != 1.0:
        if b.data is not None:
            b = multiply(session, b, scalar(session, alpha))
        else:
            a = multiply(session, a, scalar(session, alpha))
    if c is not None and beta != 1.0:
        c = multiply(session, c, scalar(session, beta))
    if b.data is None or a.data is not None:
        if turn_b:
            b = session.transpose(b, (1, 0))
        y = matmul(session, a, b)
        return y if c is None else add(session, y, c)
    weights = b if turn_b else session.transpose(b, (1, 0))
    units = weights.shape[0]
    if c is not None and c.data is not None and c.data.size == units and c.shape[-1:] == (units,):
        return dense(session, a, weights, c)
    y = dense(session, a, weights, None)
    return y if c is None else add(session, y, c)
