"""PyTorch computes what the float meaning of spatial and moving operators says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spatial_cases import (
    activation,
    conv2d,
    depthwise,
    geometries,
    transposed,
    transposed_geometries,
    weighted,
)

from netsuke.ir import Op, Tensor, constant
from netsuke.ops import (
    AveragePool2d,
    ChannelShuffle,
    Concat,
    Expand,
    Gather,
    MaxPool2d,
    Pad,
    Reshape,
    Resize,
    Slice,
    Split,
    Transpose,
)

torch = pytest.importorskip("torch", reason="left out: lowering to PyTorch")
FEW = settings(max_examples=15, deadline=None)


def compare(op: Op, inputs: list[Tensor], seed: int = 0) -> None:
    """A batch of two samples in PyTorch against the reference, one sample at a time."""
    rng = np.random.default_rng(seed)
    op.infer(inputs)
    batches = [
        rng.normal(size=(2, *tensor.shape)).astype(np.float32) if tensor.data is None else None
        for tensor in inputs
    ]
    values = [
        torch.from_numpy(np.array(tensor.data) if batch is None else batch)
        for tensor, batch in zip(inputs, batches, strict=True)
    ]
    lowered = op.lower(torch, inputs, *values)
    for sample in (0, 1):
        arrays = [
            tensor.data if batch is None else batch[sample]
            for tensor, batch in zip(inputs, batches, strict=True)
        ]
        for result, expected in zip(lowered, op.reference(*arrays), strict=True):
            np.testing.assert_allclose(result[sample].numpy(), expected, rtol=1e-4, atol=1e-5)


@FEW
@given(geometries(), st.integers(1, 3), st.integers(0, 99))
def test_convolutions(case: dict, groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = activation((*case["size"], 2 * groups), None)
    shape = (3 * groups, *case["kernel"], 2)
    compare(conv2d(case, groups, low=-1.0), weighted(Op, x, shape, 3 * groups, rng)[0])
    shape = (*case["kernel"], 4 * groups)
    compare(depthwise(case, high=2.0), weighted(Op, x, shape, 4 * groups, rng)[0])


@FEW
@given(transposed_geometries(), st.integers(1, 3), st.integers(0, 99))
def test_transposed_convolutions(case: dict, groups: int, seed: int) -> None:
    x = activation((*case["size"], 2 * groups), None)
    shape = (3 * groups, *case["kernel"], 2)
    inputs, _ = weighted(Op, x, shape, 3 * groups, np.random.default_rng(seed))
    compare(transposed(case, groups, low=0.0), inputs)


@pytest.mark.parametrize("include", [True, False])
def test_pools(include: bool) -> None:
    x = Tensor("x", (5, 6, 3))
    pads = ((0, 1), (1, 0))
    compare(AveragePool2d((2, 3), (1, 2), pads, include, low=-0.2), [x])
    compare(MaxPool2d((2, 2), (2, 1), (1, 2), pads), [x])


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "symmetric", "wrap"])
def test_pads(mode: str) -> None:
    compare(Pad(((1, 2), (0, 0), (2, 1)), 0.5, mode), [Tensor("x", (3, 2, 3))])


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("coordinates", ["asymmetric", "half_pixel", "align_corners"])
def test_resizes(mode: str, coordinates: str) -> None:
    x = Tensor("x", (3, 5, 2))
    compare(Resize((7, 4), mode, coordinates, "round_prefer_floor"), [x])


def test_bilinear_resizes_are_those_of_pytorch() -> None:
    x = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
    shown = torch.from_numpy(x).permute(2, 0, 1)[None]
    for corners, coordinates in ((True, "align_corners"), (False, "pytorch_half_pixel")):
        wanted = torch.nn.functional.interpolate(
            shown, (11, 3), mode="bilinear", align_corners=corners
        )
        (y,) = Resize((11, 3), "bilinear", coordinates).reference(x)
        np.testing.assert_allclose(y, wanted[0].permute(1, 2, 0).numpy(), atol=1e-6)


def test_movements() -> None:
    x = Tensor("x", (4, 6))
    compare(Reshape((3, 8)), [x])
    compare(Transpose((1, 0)), [x])
    compare(Slice(((3, 2, -2), (1, 5, 1))), [x])
    compare(Split(1, (2, 1, 3)), [x])
    compare(ChannelShuffle(3), [x])
    compare(Gather(1), [x, constant("i", np.array([[5, -1], [0, 2]]))])
    compare(Expand((2, 4, 6)), [x])
    compare(Expand((4, 6)), [Tensor("y", (4, 1))])
    compare(Concat(0), [x, constant("c", np.ones((2, 6), np.float32)), Tensor("z", (1, 6))])


def test_convolutions_hand_gradients_to_weights_and_inputs() -> None:
    x = activation((5, 5, 2), None)
    inputs, _ = weighted(Op, x, (3, 3, 4), 4, np.random.default_rng(0))
    values = [
        torch.from_numpy(np.ones((1, 5, 5, 2), np.float32)),
        *(torch.from_numpy(np.array(tensor.data)) for tensor in inputs[1:]),
    ]
    for value in values:
        value.requires_grad_()
    (y,) = depthwise({"stride": (1, 1), "dilation": (1, 1), "padding": ((1, 1), (1, 1))}).lower(
        torch, inputs, *values
    )
    y.sum().backward()
    assert all(value.grad is not None and bool(value.grad.any()) for value in values)
