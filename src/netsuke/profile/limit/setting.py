"""The settings that lower a peak, from those that cost nothing to those that change the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """How a network is trained and evaluated.

    Attributes
    ----------
    chunk
        Samples that are evaluated at a time; 0: all at once. Costs nothing.
    micro
        Samples of a micro-batch, whose gradients are added up to those of the batch; 0: the whole
        batch at once. The same sums but for rounding; batch normalization sees micro-batches.
    lean
        Data stay in their file, the optimizer updates one tensor after the other and is dropped
        before the evaluation, freed memory goes back to the system at once. The same results.
    recompute
        Activations are computed again for the gradients, in √n segments of n operators (Chen et
        al. 2016, arXiv:1604.06174). The same results; about a third more time.
    valid
        Convolutions and poolings without padding: another, smaller network.
    """

    chunk: int = 0
    micro: int = 0
    lean: bool = False
    recompute: bool = False
    valid: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Setting:
        return cls(**values)

    def record(self) -> dict[str, Any]:
        return asdict(self)

    def describe(self, batch: int, samples: int) -> str:
        """For eyes: what differs from the naive way."""
        parts = -(-samples // self.chunk) if self.chunk else 1
        words = [f"evaluation in {parts} parts"] if parts > 1 else []
        if self.micro and self.micro < batch:
            words.append(f"micro-batches of {self.micro}")
        words += ["lean"] if self.lean else []
        words += ["activations recomputed"] if self.recompute else []
        words += ["no padding (VALID)"] if self.valid else []
        return ", ".join(words) or "as it is: whole batches, whole evaluation"


FAMILIES = (
    Setting(),
    Setting(lean=True),
    Setting(lean=True, recompute=True),
    Setting(valid=True),
    Setting(lean=True, valid=True),
    Setting(lean=True, recompute=True, valid=True),
)
"""In order of their cost; chunks and micro-batches are chosen within each."""
