"""Which convolutions of PyTorch hold buffers besides their tensors, by the trace."""

from __future__ import annotations

from typing import Any

import pytest

from netsuke.profile.estimate import pytorch

torch = pytest.importorskip("torch")


def buffers(batch: int, phase: str = "infer", **options: Any) -> int:
    """How many convolutions of a network of one take a buffer, over two runs."""
    layers = [torch.nn.Conv2d(4, 8, **options), torch.nn.Flatten()]
    traced = pytorch.load(torch.nn.Sequential(*layers), batch, phase, (4, 8, 8))
    return len(traced.kernels)


@pytest.mark.parametrize(
    ("batch", "options", "taken"),
    [
        (15, {"kernel_size": 1}, False),  # multiplied as it lies
        (16, {"kernel_size": 1}, True),
        (1, {"kernel_size": 1, "stride": 2}, True),
        (1, {"kernel_size": 3}, True),
        (1, {"kernel_size": 1, "groups": 2}, False),
    ],
)
def test_only_convolutions_that_are_laid_out_anew_take_a_buffer(
    batch: int, options: dict[str, int], taken: bool
) -> None:
    assert buffers(batch, **options) == (2 if taken else 0)
    if taken:  # the backward pass has one of its own
        assert buffers(batch, "train", **options) == 4


def test_the_buffer_counts_while_its_convolution_runs() -> None:
    batch, item = 64, 4
    layers = [torch.nn.Conv2d(8, 8, 3, padding=1, bias=False), torch.nn.ReLU()]
    traced = pytorch.load(torch.nn.Sequential(*layers), batch, "infer", (8, 32, 32))
    made = pytorch.account(traced, "infer")
    (size,) = (part.size for part in made.parts if part.name == "buffers inside of convolutions")
    touched = 2 * batch * 8 * 32 * 32 * item
    # Without it the peak is at the ReLU, where three tensors are held instead of two.
    assert size == pytest.approx(pytorch.WORKSPACE * touched - touched / 2, rel=0.02)
