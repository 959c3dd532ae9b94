"""Weights rounded up or down, whichever keeps a layer's output (AdaRound)."""

from netsuke.compress.adaround.network import adaround
from netsuke.compress.adaround.rounding import beta_at, regulariser, soft_rounding

__all__ = ["adaround", "beta_at", "regulariser", "soft_rounding"]
