"""Activations that a file fuses into another operator."""

from __future__ import annotations

import math

from netsuke.frontend.tflite.flatbuffer import Table
from netsuke.frontend.tflite.scope import Unsupported

_BOUNDS = {0: (-math.inf, math.inf), 1: (0.0, math.inf), 2: (-1.0, 1.0), 3: (0.0, 6.0)}


def fused_bounds(options: Table) -> tuple[float, float]:
    """(low, high) of the field ``fused_activation_function``."""
    number = options.integer("fused_activation_function")
    if number not in _BOUNDS:
        name = {4: "TANH", 5: "SIGN_BIT"}.get(number, str(number))
        raise Unsupported(f"fuses the activation {name}")
    return _BOUNDS[number]
