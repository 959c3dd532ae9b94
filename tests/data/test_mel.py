"""Features of recordings against their formula, computed another way."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct

from netsuke.data import MelFeatures


def test_mfcc_equals_the_formula_by_scipy() -> None:
    features = MelFeatures("mfcc", 16000)
    sound = np.random.default_rng(0).uniform(-1, 1, 16000).astype(np.float32)
    assert features.shape == (49, 10, 1)
    result = features.compute(sound)
    frame = sound[320 * 7 : 320 * 7 + 480].astype(np.float64)
    window = np.hanning(481)[:-1]
    power = np.abs(np.fft.rfft(frame * window, 512)) ** 2 / 480
    logs = np.log(features.triangles(512) @ power + 1e-6)
    wanted = dct(logs, type=2, norm="ortho")[:10]
    assert np.allclose(result[7, :, 0], wanted, atol=1e-4)


def test_triangles_cover_the_band_once() -> None:
    weights = MelFeatures("logmel", 16000, bands=20).triangles(4096)
    inside = weights[:, 40:900].sum(axis=0)
    assert weights.min() == 0.0 and np.allclose(inside, 1.0)


def test_short_recordings_are_filled_and_long_ones_cut() -> None:
    features = MelFeatures("logmel", 8000)
    sound = np.random.default_rng(1).uniform(-1, 1, 12000).astype(np.float32)
    assert np.array_equal(features.compute(sound), features.compute(sound[:8000]))
    short = features.compute(sound[:4000])
    assert short.shape == features.shape and np.allclose(short[-1], np.log(1e-6))
