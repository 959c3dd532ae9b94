"""The table of powers as products: three eighths of its bytes, the same numbers."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array

SMALLEST = np.finfo(np.float32).tiny
"""Numbers below are not normal: some cores flush them to zero."""


def product_tables(powers: Array) -> dict[str, Array] | None:
    """Tables from which `softmax_s8_product.c` makes each of 256 powers exactly.

    Parameters
    ----------
    powers
        float32 ``(256,)``, e^(-step · d) at d.

    Returns
    -------
    dict or None
        ``coarse``, ``fine`` (float32, 16 each) and ``moves`` (int8, 256): how many float32
        numbers lie between the product and the power, whose exponent LiteRT rounds to float32.
        None where a power is not a normal number or a product is too far from it.
    """
    if powers.min() < SMALLEST:
        return None
    coarse, fine = powers[::16], powers[:16]
    products = (coarse[:, None] * fine[None, :]).reshape(-1)
    moves = powers.view(np.int32).astype(np.int64) - products.view(np.int32)
    if products.min() < SMALLEST or abs(moves).max() > 127:
        return None
    return {"coarse": coarse.copy(), "fine": fine.copy(), "moves": moves.astype(np.int8)}
