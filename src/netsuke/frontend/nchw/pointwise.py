"""Elementwise operators, with broadcasting, and those composed of several of ours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ir import Op
from netsuke.ops import (
    Abs,
    Add,
    Clamp,
    Div,
    Exp,
    Log,
    Maximum,
    Minimum,
    Mul,
    Prelu,
    Rsqrt,
    Sqrt,
    Square,
    Sub,
)


def broadcast(session: Session, op: Op, *values: Value) -> Value:
    """An elementwise operator on values that broadcast."""
    aligned, batch = session.align(values)
    return session.emit(op, *aligned, batch=batch)


def chain(session: Session, op: Op, values: Sequence[Value]) -> Value:
    """A binary operator over any number of values, from the left."""
    result, *rest = values
    for value in rest:
        result = broadcast(session, op, result, value)
    return result


def scalar(session: Session, number: float) -> Value:
    """A known real number."""
    return session.constant(f"number_{number:g}", np.float32(number))


def add(session: Session, a: Value, b: Value) -> Value:
    return broadcast(session, Add(), a, b)


def subtract(session: Session, a: Value, b: Value) -> Value:
    return broadcast(session, Sub(), a, b)


def multiply(session: Session, a: Value, b: Value) -> Value:
    return broadcast(session, Mul(), a, b)


def divide(session: Session, a: Value, b: Value) -> Value:
    return broadcast(session, Div(), a, b)


def reciprocal(session: Session, x: Value) -> Value:
    """1 / x."""
    return divide(session, scalar(session, 1.0), x)


def mean(session: Session, values: Sequence[Value]) -> Value:
    """Mean of values that broadcast."""
    total = chain(session, Add(), values)
    return total if len(values) == 1 else multiply(session, total, scalar(session, 1 / len(values)))


def clamp(session: Session, x: Value, low: float, high: float) -> Value:
    """min(max(x, low), high)."""
    if math.isnan(low) or math.isnan(high):
        raise CannotImportError("a bound is not a number")
    if low == -math.inf and high == math.inf:
        return x
    low = min(low, high)  # what min(max(x, low), high) gives
    return session.emit(Clamp(low, high), x)


def prelu(session: Session, x: Value, slope: Value) -> Value:
    """x, or slope · x below zero."""
    if slope.data is not None:
        (left, right), batch = session.align((x, slope))
        if left.rank == max(left.rank, right.rank):
            return session.emit(Prelu(), left, right, batch=batch)
    below = multiply(session, slope, clamp(session, x, -math.inf, 0.0))
    return add(session, clamp(session, x, 0.0, math.inf), below)


def softplus(session: Session, x: Value) -> Value:
    """log(1 + e^x), written so that it does not overflow."""
    decay = session.emit(Exp(), multiply(session, session.emit(Abs(), x), scalar(session, -1.0)))
    tail = session.emit(Log(), add(session, decay, scalar(session, 1.0)))
    return add(session, clamp(session, x, 0.0, math.inf), tail)


def elu(session: Session, x: Value, alpha: float, gamma: float = 1.0, beta: float = 1.0) -> Value:
    """gamma · (max(x, 0) + alpha · (e^(min(x, 0) / beta) - 1))."""
    below = clamp(session, x, -math.inf, 0.0)
    if beta != 1.0:
        below = multiply(session, below, scalar(session, 1.0 / beta))
    below = subtract(session, session.emit(Exp(), below), scalar(session, 1.0))
    below = multiply(session, below, scalar(session, alpha * gamma))
    above = clamp(session, x, 0.0, math.inf)
    if gamma != 1.0:
        above = multiply(session, above, scalar(session, gamma))
    return add(session, above, below)


def extreme(session: Session, values: Sequence[Value], largest: bool) -> Value:
    """Elementwise maximum or minimum of any number of values."""
    return chain(session, Maximum() if largest else Minimum(), values)


_MOST_FACTORS = 64


def power(session: Session, x: Value, exponent: Value) -> Value:
    """x to constant powers: multiples of a half as products, squares and roots.

    Other powers exist of positive numbers only and are e^(exponent · log x).
    """
    if exponent.data is None:
        raise CannotImportError(f"the exponent {exponent.label!r} must be constant")
    powers = np.unique(exponent.data.astype(np.float64))
    if not np.isfinite(powers).all() or np.abs(powers).max() > _MOST_FACTORS:
        raise CannotImportError(f"exponents beyond {_MOST_FACTORS} are not supported")
    halves = powers * 2 == np.floor(powers * 2)
    if not halves.any():
        exponent = session.constant(exponent.label, exponent.data.astype(np.float32))
        return session.emit(Exp(), multiply(session, session.emit(Log(), x), exponent))
    if not halves.all():
        raise CannotImportError("its exponents are multiples of a half and others together")
    if len(powers) == 1:
        y = _single_power(session, x, float(powers[0]))
        shape = np.broadcast_shapes(x.shape, exponent.shape)
        if shape == x.shape:
            return y
        return multiply(session, y, session.constant("ones", np.ones(exponent.shape, np.float32)))
    terms = []
    for number in powers:
        mask = (exponent.data == number).astype(np.float32)
        term = _single_power(session, x, float(number))
        terms.append(multiply(session, term, session.constant(f"is_{number:g}", mask)))
    return chain(session, Add(), terms)


def _single_power(session: Session, x: Value, exponent: float) -> Value:
    if exponent == 0.0:
        return add(session, multiply(session, x, scalar(session, 0.0)), scalar(session, 1.0))
    if exponent == -0.5:
        return session.emit(Rsqrt(), x)
    if exponent < 0.0:
        return reciprocal(session, _single_power(session, x, -exponent))
    whole = math.floor(exponent)
    factors = [session.emit(Sqrt(), x)] if exponent > whole else []
    square = x
    while whole:
        if whole & 1:
            factors.append(square)
        whole >>= 1
        if whole:
            square = session.emit(Square(), square)
    return chain(session, Mul(), factors)
