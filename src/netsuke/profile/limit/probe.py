"""What a short run in one setting tells of all sizes of chunks and micro-batches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from netsuke.profile.limit.setting import Setting
from netsuke.profile.result import Run

MARGIN = 0.985
"""Share of a limit that a short run may take; a long one fragments its heap a little more."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The true peaks of a short run.

    Attributes
    ----------
    setting
        Without chunk and micro-batch.
    base
        Bytes of the process when its packages are loaded.
    train, evaluate
        Size of the micro-batch or chunk -> peak (bytes); sizes that the limit refused are missing.
    rest
        Peak of loading, and of the inference of one sample.
    pace
        Size of the micro-batch -> seconds a step.
    """

    setting: Setting
    base: int
    train: Mapping[int, int]
    evaluate: Mapping[int, int]
    rest: int
    pace: Mapping[int, float]

    @property
    def floor(self) -> int:
        """The least that any chunk and micro-batch can reach; 0 when nothing could be run."""
        if not (self.train and self.evaluate):
            return 0
        return max(self.rest, min(self.train.values()), min(self.evaluate.values()))

    def peak_of_evaluation(self, chunk: int) -> float:
        """Bytes, on the line through the two largest chunks that were tried; modelled."""
        sizes = sorted(self.evaluate)
        if chunk in self.evaluate:
            return self.evaluate[chunk]
        if len(sizes) < 2:
            return math.inf
        low, high = sizes[-2], sizes[-1]
        slope = max(self.evaluate[high] - self.evaluate[low], 0) / (high - low)
        return self.evaluate[high] + slope * (chunk - high)

    def choose(self, limit: float, samples: int, micro: bool) -> Setting | None:
        """The setting with the largest micro-batch and chunk that stay below a limit, or None.

        Parameters
        ----------
        limit
            Bytes.
        samples
            In the test part.
        micro
            Whether batches may be divided.
        """
        most = MARGIN * limit
        batch = max(self.train, default=0)
        sizes = [size for size, peak in self.train.items() if peak <= most]
        if not sizes or self.rest > most or not self.evaluate:
            return None
        if not micro and max(sizes) < batch:
            return None
        chunk = self._largest_chunk(most, samples)
        if chunk == 0:
            return None
        whole = chunk >= samples
        return replace(self.setting, micro=max(sizes), chunk=0 if whole else chunk)

    def _largest_chunk(self, most: float, samples: int) -> int:
        if self.peak_of_evaluation(samples) <= most:
            return samples
        fitting = [size for size in self.evaluate if self.evaluate[size] <= most]
        if not fitting:
            return 0
        low, high = max(fitting), samples
        while high - low > max(1, low // 50):
            middle = (low + high) // 2
            low, high = (middle, high) if self.peak_of_evaluation(middle) <= most else (low, middle)
        parts = -(-samples // low)
        return -(-samples // parts)  # parts of one size


def read_probe(setting: Setting, run: Run) -> Probe:
    """The probe that a run of the worker was."""
    peaks: dict[str, int] = {}
    for phase in run.phases:
        if phase.whole and f"refused {phase.name}" not in run.metrics:
            peaks[phase.name] = max(peaks.get(phase.name, 0), phase.peak)
    sized: dict[str, dict[int, int]] = {"train": {}, "evaluate": {}}
    for name, peak in peaks.items():
        kind, _, size = name.partition(" ")
        if kind in sized:
            sized[kind][int(size)] = peak
    seconds = {size: run.metrics.get(f"seconds train {size}", math.nan) for size in sized["train"]}
    return Probe(
        setting=setting,
        base=int(run.metrics.get("base", 0)),
        train=sized["train"],
        evaluate=sized["evaluate"],
        rest=max(peaks.get("load", 0), peaks.get("infer", 0)),
        pace=seconds,
    )
