"""PyTorch computes what the real meaning of the elementwise operators says."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.ir import Array, Op, Tensor, constant
from netsuke.ops import (
    Abs,
    Add,
    ArgMax,
    BatchNorm,
    Clamp,
    Dequantize,
    Div,
    Exp,
    Gelu,
    Gru,
    HardSigmoid,
    HardSwish,
    LayerNorm,
    LeakyRelu,
    Log,
    LogSoftmax,
    Lstm,
    Matmul,
    Maximum,
    Minimum,
    Mul,
    Neg,
    Prelu,
    Quantize,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Requantize,
    Rsqrt,
    Sigmoid,
    Softmax,
    Sqrt,
    Square,
    Sub,
    Tanh,
)  # fmt: skip

torch = pytest.importorskip("torch", reason="left out: PyTorch is the oracle")
BATCH = 3


def real(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def positive(*shape: int) -> Array:
    return np.abs(real(*shape)) + np.float32(0.1)


def check(op: Op, arrays: list[Array], constants: tuple[int, ...] = ()) -> None:
    """The lowering on a batch equals the reference on each sample; constants have no batch."""
    tensors = [
        constant(f"c{i}", a) if i in constants else Tensor(f"x{i}", a.shape[1:])
        for i, a in enumerate(arrays)
    ]
    samples = [
        op.reference(*(a if i in constants else a[n] for i, a in enumerate(arrays)))
        for n in range(BATCH)
    ]
    results = op.lower(torch, tensors, *(torch.tensor(a) for a in arrays))
    for number, kind in enumerate(op.infer(tensors)):
        wanted = np.stack([sample[number] for sample in samples])
        assert wanted.shape[1:] == kind.shape
        result = results[number].detach().numpy()
        assert result.shape == wanted.shape, op
        np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5, err_msg=repr(op))


@pytest.mark.parametrize(
    "op",
    [Abs(), Clamp(-0.5, 0.7), Dequantize(), Exp(), Gelu(), Gelu(True), HardSigmoid(), HardSwish(),
     LeakyRelu(0.2), LogSoftmax(0), Neg(), Quantize(), ReduceMax((0, -1)), ReduceMean((1,), True),
     ReduceSum(()), ArgMax(0), ArgMax(-1, True), Requantize(), Sigmoid(), Softmax(0, 2.0),
     Softmax(), Square(), Tanh()],
    ids=repr,
)  # fmt: skip
def test_functions_of_one_tensor(op) -> None:
    check(op, [real(BATCH, 4, 5) * 3])


@pytest.mark.parametrize("op", [Log(), Sqrt(), Rsqrt()], ids=repr)
def test_functions_of_positive_numbers(op) -> None:
    check(op, [positive(BATCH, 4, 5)])


@pytest.mark.parametrize("op", [Add(low=0), Div(), Maximum(), Minimum(), Mul(), Sub()], ids=repr)
def test_functions_of_two_tensors_broadcast_behind_the_batch(op) -> None:
    check(op, [real(BATCH, 4, 5), real(BATCH, 5)])
    check(op, [real(BATCH, 5), real(BATCH, 2, 4, 5)])
    check(op, [real(BATCH, 4, 5), positive(4, 1)], (1,))
    check(op, [real(BATCH, 5), positive(2, 4, 5)], (1,))


def test_layers_with_constants() -> None:
    check(Prelu(), [real(BATCH, 4, 5), real(5)], (1,))
    vectors = [real(5), real(5), real(5), positive(5)]
    check(BatchNorm(high=1.0), [real(BATCH, 4, 5), *vectors], (1, 2, 3, 4))
    check(LayerNorm(1), [real(BATCH, 4, 5, 2), real(5, 2), real(2)], (1, 2))


def test_matrix_products() -> None:
    check(Matmul(), [real(BATCH, 4, 5), real(5, 6)], (1,))
    check(Matmul(), [real(BATCH, 4, 5), real(BATCH, 7, 5, 6)])


@pytest.mark.parametrize("reverse", [False, True])
def test_recurrent_layers(reverse) -> None:
    x = real(BATCH, 6, 4)
    lstm = [x, real(20, 4), real(20, 5), real(20), real(5), real(5)]
    check(Lstm(reverse), lstm, (1, 2, 3, 4, 5))
    gru = [x, real(15, 4), real(15, 5), real(15), real(15), real(BATCH, 5)]
    for reset_after in (False, True):
        check(Gru(reverse, reset_after), gru, (1, 2, 3, 4))
