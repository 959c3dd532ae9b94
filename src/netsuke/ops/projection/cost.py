"""What a projection costs: instructions anywhere, cycles on an AVR."""

from __future__ import annotations

from netsuke.ops.projection.coding import Coding

AVR_ENTRY = {
    "dense": 14.0,
    "gaps": 19.0,
    "nibbles": 17.5,
    "columns": 39.0,
    "column_nibbles": 27.0,
    "chunk_nibbles": 17.5,
}
"""Cycles an entry in the assembly loops, from instruction timing."""
AVR_ROW = {"dense": 42.0, "gaps": 53.0, "nibbles": 64.0}
"""Cycles a row beside its entries, measured in simavr."""
ENTRY = {"dense": 5.0, "gaps": 7.0, "nibbles": 9.0}


def instructions(coding: Coding, rows: int) -> float:
    """Executed instructions of the portable kernels."""
    return ENTRY[coding.name] * coding.entries + 18.0 * rows


def avr_cycles(coding: Coding, rows: int, shift: int, narrow: int, scaled_bias: int) -> float:
    """Clock cycles on an AVR.

    Parameters
    ----------
    coding, rows
        Of the matrix.
    shift
        Bits that the device drops in all: those of nibbles included.
    narrow
        1 or 2 for sums of three bytes, in assembly; 0 for four, in C. See projection.h.
    scaled_bias
        1 where the bias needs no shift of its own.
    """
    if not narrow:
        return 62.0 * coding.entries + 90.0 * rows
    long_row = coding.name == "dense" and coding.entries >= 256 * rows
    each = AVR_ENTRY[coding.name] + long_row
    bits = abs(shift - 8) if shift >= 8 or (narrow == 2 and shift > 3) else shift
    ends = 5.0 * bits + (0.0 if scaled_bias else 25.0)
    return each * coding.entries + (AVR_ROW[coding.name] + ends) * rows + 8.0


def avr_stream_cycles(coding: Coding, rows: int, features: int) -> float:
    """Clock cycles on an AVR of all elements pushed one by one, the caller's loop included."""
    return AVR_ENTRY[coding.name] * coding.entries + 22.0 * features + 90.0 * rows


def avr_chunk_cycles(coding: Coding, rows: int, chunks: int) -> float:
    """Clock cycles on an AVR of all elements pushed in chunks."""
    segments = rows * chunks
    entries = coding.entries - segments
    beside = 27.0 * segments + 29.0 * chunks + 102.0 * rows + 40.0  # measured in simavr
    return AVR_ENTRY[coding.name] * entries + beside
