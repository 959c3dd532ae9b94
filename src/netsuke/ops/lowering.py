"""What several operators share when they compute in PyTorch: the cheapest form of a step."""

from __future__ import annotations

import math
from typing import Any

from netsuke.ops.window import Pads


def clamped(torch: Any, y: Any, low: float, high: float) -> Any:
    """Return y between two bounds, differentiably.

    ``torch.clamp`` is several times slower to differentiate than a ReLU, and a clamp without
    bounds is work for nothing; together they were a third of a training step.
    """
    if (low, high) == (-math.inf, math.inf):
        return y
    if (low, high) == (0.0, math.inf):
        return torch.relu(y)
    if math.isfinite(low) and math.isfinite(high) and low < high:
        return torch.nn.functional.hardtanh(y, low, high)
    return torch.clamp(y, low, high)


def padded(torch: Any, x: Any, padding: Pads) -> tuple[Any, tuple[int, int]]:
    """Return images ``(n, c, h, w)`` and the symmetric padding that the convolution itself adds.

    Only an uneven padding needs a copy of the images.
    """
    (top, bottom), (left, right) = padding
    if top == bottom and left == right:
        return x, (top, left)
    return torch.nn.functional.pad(x, (left, right, top, bottom)), (0, 0)
