"""What a small colour camera sees of a board: blur, uneven light, noise, and 16 bits a pixel.

The pictures of the archives are clean and nearly black and white. A camera over a conveyor belt
gives less; this model of one is applied alike to boards with and without a defect, in this order:

1. the lens blurs: a Gaussian of 0.4 to 0.9 pixels;
2. colour: dark pixels are copper, bright ones are laminate, each a little different every time;
3. light: a gain of 0.75 to 1.1, a slope of up to 20 % from edge to edge in any direction, and up to
   15 % less in the corners (the lens's fall-off);
4. noise: Gaussian, 2 to 5 of 255 levels;
5. the sensor's RGB565: 5 bits of red and blue, 6 of green, as camera modules deliver it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

COPPER = (196.0, 120.0, 60.0)
LAMINATE = (112.0, 158.0, 96.0)
JITTER = 14.0  # levels by which either colour differs

Pixels = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]


def photograph(grey: Pixels, rng: np.random.Generator) -> Words:
    """One frame, RGB565 ``(height, width)``, of a grey picture of the same size."""
    sharp = grey.astype(np.float32) / np.float32(255.0)
    blurred = gaussian_filter(sharp, rng.uniform(0.4, 0.9), mode="nearest", truncate=3.0)
    copper = np.array(COPPER, np.float32) + rng.uniform(-JITTER, JITTER, 3).astype(np.float32)
    laminate = np.array(LAMINATE, np.float32) + rng.uniform(-JITTER, JITTER, 3).astype(np.float32)
    colour = copper + blurred[:, :, None] * (laminate - copper)
    lit = colour * _light(*grey.shape, rng)[:, :, None]
    deviation = np.float32(rng.uniform(2.0, 5.0))
    noisy = lit + deviation * rng.standard_normal(lit.shape, np.float32)
    return pack_rgb565(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _light(height: int, width: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Relative brightness of each pixel: gain, slope and fall-off."""
    down = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    right = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    gain, slope_down, slope_right = rng.uniform((0.75, -0.1, -0.1), (1.1, 0.1, 0.1))
    corners = np.float32(rng.uniform(0.0, 0.15) / 2)
    sloped = np.float32(1) + np.float32(slope_down) * down + np.float32(slope_right) * right
    light: npt.NDArray[np.float32] = np.float32(gain) * sloped
    return light * (np.float32(1) - corners * (down**2 + right**2))


def pack_rgb565(colour: Pixels) -> Words:
    """RGB565 words ``(height, width)`` of colours ``(height, width, 3)``; low bits are cut off."""
    red, green, blue = (colour[..., channel].astype(np.uint16) for channel in range(3))
    words: Words = ((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3)
    return words


def unpack_rgb565(words: Words) -> Pixels:
    """Colours ``(…, 3)`` of RGB565 words: high bits repeat below, so that full stays 255.

    ``red = r5 << 3 | r5 >> 2``, ``green = g6 << 2 | g6 >> 4``, blue like red.
    """
    red, green, blue = words >> 11, (words >> 5) & 63, words & 31
    bands = (red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2)
    return np.stack(bands, axis=-1).astype(np.uint8)
