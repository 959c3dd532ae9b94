"""Log-mel energies and mel-frequency cepstral coefficients of recordings, in NumPy.

With a frame of N samples x, a Hann window w[n] = 0.5 - 0.5·cos(2πn / N) and the F-point
transform X of w·x (F: the next power of two)::

    mel(f)   = 2595 · log10(1 + f / 700)
    E[m]     = Σ_k T_m(k) · |X[k]|² / N           triangles T_m, equally wide in mel
    L[m]     = ln(E[m] + 1e-6)                    "logmel"
    C[c]     = s_c · Σ_m L[m] · cos(π·c·(m + ½) / M)          "mfcc", orthonormal DCT-II
    s_0      = √(1/M),  s_c = √(2/M)

(Davis & Mermelstein 1980, IEEE Trans. ASSP 28(4).) Recordings are -1 … 1, cut or filled with
zeros at the end to one length; frames start every `hop` and lie wholly inside.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from netsuke.errors import DataError
from netsuke.ir import Array

FRAMES = 4096
"""Frames that are transformed at a time."""


@dataclass(frozen=True, slots=True)
class MelFeatures:
    """The fixed parameters of the formula above.

    Attributes
    ----------
    kind
        ``"mfcc"`` or ``"logmel"``.
    rate
        Samples a second.
    seconds
        Length of every recording after cutting or filling.
    window, hop
        Seconds of a frame, and between the starts of two frames.
    bands
        Mel bands M.
    coefficients
        Cepstral coefficients kept (``mfcc`` only).
    low, high
        Hz of the lowest and the highest edge.
    """

    kind: str
    rate: int
    seconds: float = 1.0
    window: float = 0.03
    hop: float = 0.02
    bands: int = 40
    coefficients: int = 10
    low: float = 20.0
    high: float = 4000.0

    @property
    def samples(self) -> int:
        """Samples of one recording."""
        return round(self.seconds * self.rate)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(frames, features, 1)."""
        frame, hop = round(self.window * self.rate), round(self.hop * self.rate)
        frames = (self.samples - frame) // max(hop, 1) + 1
        if frame < 2 or hop < 1 or frames < 1:
            raise DataError(
                "features", f"no frame of {self.window:g} s fits into {self.seconds:g} s"
            )
        return frames, self.coefficients if self.kind == "mfcc" else self.bands, 1

    def record(self) -> dict[str, Any]:
        """The parameters as plain values."""
        return asdict(self)

    def compute(self, recording: Array) -> Array:
        """float32 ``(frames, features, 1)`` of one recording (any length, -1 … 1)."""
        frame, hop = round(self.window * self.rate), round(self.hop * self.rate)
        signal = np.zeros(self.samples, np.float32)
        count = min(self.samples, len(recording))
        signal[:count] = recording[:count]
        frames = np.lib.stride_tricks.sliding_window_view(signal, frame)[::hop]
        starts = range(0, len(frames), FRAMES)
        parts = [self._features(frames[start : start + FRAMES]) for start in starts]
        return np.concatenate(parts).astype(np.float32)[..., None]

    def _features(self, frames: Array) -> Array:
        """One row of features for each frame."""
        frame = frames.shape[1]
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(frame) / frame)
        points = 1 << (frame - 1).bit_length()
        power = np.abs(np.fft.rfft(frames * window, points)) ** 2 / frame
        logs: Array = np.log(power @ self.triangles(points).T + 1e-6)
        return logs @ self.cosines().T if self.kind == "mfcc" else logs

    def triangles(self, points: int) -> Array:
        """Weights ``(bands, points // 2 + 1)``."""
        high = min(self.high, self.rate / 2)
        edges = np.linspace(_mel(self.low), _mel(high), self.bands + 2)
        centres = 700.0 * (10.0 ** (edges / 2595.0) - 1.0)
        frequencies = np.arange(points // 2 + 1) * self.rate / points
        rising = (frequencies - centres[:-2, None]) / (centres[1:-1] - centres[:-2])[:, None]
        falling = (centres[2:, None] - frequencies) / (centres[2:] - centres[1:-1])[:, None]
        weights: Array = np.maximum(0.0, np.minimum(rising, falling))
        return weights

    def cosines(self) -> Array:
        """The DCT's first rows ``(coefficients, bands)``."""
        c, m = np.arange(self.coefficients)[:, None], np.arange(self.bands)[None, :]
        scale = np.full(c.shape, np.sqrt(2.0 / self.bands))
        scale[0] = np.sqrt(1.0 / self.bands)
        rows: Array = scale * np.cos(np.pi * c * (m + 0.5) / self.bands)
        return rows


def _mel(frequency: float) -> float:
    return float(2595.0 * np.log10(1.0 + frequency / 700.0))
