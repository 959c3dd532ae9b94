"""Powers of two: how a trained matrix becomes small integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array


@dataclass(frozen=True, slots=True)
class PowerOfTwo:
    """Integers of `bits` bits times 2^-exponent, one exponent for a whole matrix.

    Attributes
    ----------
    bits
        The integers lie within ±(2^(bits - 1) - 1).
    least, most
        Bounds of the exponent; where they meet it is fixed.
    """

    bits: int = 8
    least: int = -64
    most: int = 64

    @property
    def limit(self) -> int:
        return (1 << (self.bits - 1)) - 1

    def exponent(self, matrix: Array) -> int:
        """The e for which ``integers(matrix, e) · 2^-e`` is nearest to the matrix.

        Of the largest e that clips nothing and the next one the one with the smaller squared
        error: a lone outlier must not cost every other entry a bit.
        """
        largest = float(np.max(np.abs(matrix), initial=0.0))
        safe = int(np.floor(np.log2(self.limit / largest))) if largest > 0 else 0
        choices = {min(max(e, self.least), self.most) for e in (safe, safe + 1)}

        def error(exponent: int) -> float:
            scaled = np.ldexp(self.integers(matrix, exponent), -exponent)
            return float(np.square(matrix - scaled).sum())

        return min(sorted(choices), key=error)

    def integers(self, matrix: Array, exponent: int) -> Array:
        """``clip(round(matrix · 2^exponent))`` as floats that hold integers."""
        return np.clip(np.rint(np.ldexp(matrix, exponent)), -self.limit, self.limit)

    def rounded(self, matrix: Array) -> Array:
        """The matrix as the device will know it, still in its real units.

        In training the gradient passes this function unchanged (the straight-through estimator,
        Bengio, Léonard & Courville 2013, arXiv:1308.3432).
        """
        exponent = self.exponent(matrix)
        return np.ldexp(self.integers(matrix, exponent), -exponent).astype(matrix.dtype)
