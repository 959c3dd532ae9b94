"""Additions by two tables, one an operand, for cores without a long multiplication."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.ir import Array, Kernel
from netsuke.ops.pairs import suits

SHIFTS = range(23, 17, -1)
"""Fractions (bits) that are tried."""

LIMIT = (1 << 30) - 1
"""Magnitude that no entry exceeds, so that no sum overflows."""


def table_kernels(
    factors: Sequence[float],
    exact: Array,
    bounds: tuple[int, int],
    count: int,
    isa: frozenset[str],
) -> tuple[Kernel, ...]:
    """The kernel, if two tables give every sum; else ().

    Parameters
    ----------
    factors
        Steps of the output that a step of each operand makes.
    exact
        (256, 256) outputs before the clamp: what is to be computed for operands -128 ... 127.
    bounds
        Stored bounds of the fused clamp.
    count
        Elements of the output.
    isa
        Of the device.
    """
    if not suits(isa):
        return ()
    low, high = bounds
    wanted = np.clip(exact, low, high).astype(np.int64)
    values: Array = np.arange(-128, 128)
    for shift in SHIFTS:
        tables = [np.rint(values * factor * 2.0**shift).astype(np.int64) for factor in factors]
        sums = tables[0][:, None] + tables[1][None, :]
        least = np.where(wanted > low, (wanted << shift) - sums, -(1 << 60)).max()
        most = np.where(wanted < high, ((wanted + 1) << shift) - 1 - sums, 1 << 60).min()
        offset = int(np.clip((int(least) + int(most)) >> 1, least, most)) if least <= most else 0
        tables[0] = tables[0] + offset
        if least > most or max(np.abs(table).max() for table in tables) > LIMIT:
            continue
        return (
            Kernel(
                "nsk_add_s8_table",
                "add/add_s8_table.c",
                "nsk_add_table",
                {
                    "count": count,
                    "a": tables[0].astype(np.int32),
                    "b": tables[1].astype(np.int32),
                    "shift": shift,
                    "low": low,
                    "high": high,
                },
                inplace=((0, 0), (1, 0)),
                instructions=(26.0 if "thumb" in isa else 21.0) * count + 30,
            ),
        )
    return ()
