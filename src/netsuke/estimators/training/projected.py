"""z = Z x + b as the device computes it: int8 with a few bits behind the point."""

from __future__ import annotations

import numpy as np

from netsuke.estimators.training.adam import Params
from netsuke.ir import Array


def project(
    params: Params, x: Array, fraction: int, fine: bool, low: int = -128
) -> tuple[Array, Array]:
    """Return z ``(n, size)`` and where its gradient passes.

    Parameters
    ----------
    params
        With ``"projection"`` ``(size, features)`` and ``"offset"`` ``(size,)``.
    x
        ``(n, features)``.
    fraction
        Bits behind the point: stored integers are z · 2^fraction, from `low` to 127.
    fine
        Whether z stays real; it is clamped all the same.
    low
        Smallest stored integer; 0 is a ReLU.
    """
    raw = x @ params["projection"].T + params["offset"]
    step = np.float32(2.0**-fraction)
    stored = raw / step if fine else np.rint(raw / step)
    z = np.clip(stored, low, 127) * step
    return z.astype(x.dtype), (raw > low * step) & (raw < 127 * step)
