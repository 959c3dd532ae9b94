"""From which score on a sample counts as found, so that few are missed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.stats import beta

from netsuke.errors import DataError, UsageError
from netsuke.ir import Array

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold finds, and what it takes for something that is not there.

    Attributes
    ----------
    threshold
        A sample whose score is at least this counts as positive.
    found, positives
        Positive samples that count as such, of how many.
    alarms, negatives
        Negative samples that count as positive, of how many.
    """

    threshold: int
    found: int
    positives: int
    alarms: int
    negatives: int

    @property
    def recall(self) -> float:
        """Share of the positive samples that are found."""
        return self.found / self.positives

    @property
    def recall_bound(self) -> float:
        """The recall is at least this, with a confidence of 95 % (one-sided)."""
        return lower_bound(self.found, self.positives)

    @property
    def false_alarms(self) -> float:
        """Share of the negative samples that count as positive."""
        return self.alarms / self.negatives

    @property
    def false_alarms_bound(self) -> float:
        """The share of false alarms is at most this, with a confidence of 95 % (one-sided)."""
        return 1.0 - lower_bound(self.negatives - self.alarms, self.negatives)


def lower_bound(successes: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided lower bound of Clopper and Pearson (1934) for a share.

    It is the α-quantile of Beta(k, n - k + 1) for k successes in n trials and α = 1 - confidence,
    the smallest share with which k or more successes are not less likely than α.

    Examples
    --------
    >>> round(lower_bound(100, 100), 4)
    0.9705
    """
    if not 0 <= successes <= trials or trials < 1:
        raise UsageError(f"{successes} successes of {trials} trials have no share")
    if successes == 0:
        return 0.0
    return float(beta.ppf(1.0 - confidence, successes, trials - successes + 1))


def operating_point(scores: Array, positive: Array, threshold: int) -> OperatingPoint:
    """What a threshold does to integer scores ``(n,)``, of which some are positive ``(n,)``."""
    scores, truth = np.asarray(scores), np.asarray(positive).astype(bool)
    if scores.shape != truth.shape or scores.ndim != 1 or scores.dtype.kind not in "iu":
        raise UsageError(
            f"scores {scores.dtype}{list(scores.shape)} for {list(truth.shape)} samples; "
            "a threshold is chosen for integers, one a sample"
        )
    if not truth.any() or truth.all():
        raise DataError(
            "scores", f"{np.count_nonzero(truth)} of {truth.size} are positive; both kinds needed"
        )
    above = scores >= threshold
    return OperatingPoint(
        threshold=int(threshold),
        found=int(np.count_nonzero(above & truth)),
        positives=int(np.count_nonzero(truth)),
        alarms=int(np.count_nonzero(above & ~truth)),
        negatives=int(np.count_nonzero(~truth)),
    )


def threshold_for_recall(scores: Array, positive: Array, recall: float) -> OperatingPoint:
    """The highest integer threshold at which a share of the positive samples is found.

    Higher thresholds give fewer false alarms, so this is the one with the fewest of all that
    reach the recall. Choose it on validation data and judge it with `operating_point` on others.

    Raises
    ------
    UsageError
        When the recall is not above 0 and at most 1, or the scores are no integers.
    DataError
        When all samples are of one kind.

    Examples
    --------
    >>> point = threshold_for_recall(np.array([1, 5, 7, 6, 0]), np.array([0, 1, 1, 0, 0]), 1.0)
    >>> point.threshold, point.recall, point.alarms
    (5, 1.0, 1)
    """
    if not 0.0 < recall <= 1.0:
        raise UsageError(f"a recall of {recall:g} cannot be asked for; try 0.99")
    start = operating_point(scores, positive, int(np.min(scores, initial=0)))
    # Exact: 0.07 of 100 samples are 7, and 0.07 * 100 is more in floating point.
    wanted = -(-Fraction(str(recall)) * start.positives // 1)
    falling = np.sort(np.asarray(scores)[np.asarray(positive).astype(bool)])[::-1]
    return operating_point(scores, positive, int(falling[int(wanted) - 1]))
