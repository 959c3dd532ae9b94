"""Thresholds for a required recall, and what is sure about them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from netsuke.errors import DataError, UsageError
from netsuke.fit.threshold import lower_bound, operating_point, threshold_for_recall


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-128, 127), st.booleans()), min_size=2, max_size=80),
    hundredths=st.integers(1, 100),
)
def test_no_higher_threshold_reaches_the_recall(
    rows: list[tuple[int, bool]], hundredths: int
) -> None:
    scores, truth = (np.array(column) for column in zip(*rows, strict=True))
    if truth.all() or not truth.any():
        return
    point = threshold_for_recall(scores, truth, hundredths / 100)
    assert 100 * point.found >= hundredths * point.positives
    above = operating_point(scores, truth, point.threshold + 1)
    assert 100 * above.found < hundredths * above.positives
    assert above.alarms <= point.alarms


def test_a_share_that_floats_cannot_hold_is_exact() -> None:
    scores, truth = np.arange(200), np.repeat([False, True], 100)
    assert threshold_for_recall(scores, truth, 0.07).found == 7
    assert threshold_for_recall(scores, truth, 0.29).found == 29


@pytest.mark.parametrize(("found", "of"), [(1, 1), (3, 10), (99, 100), (250, 250), (1, 400)])
def test_the_bound_is_where_so_many_become_unlikely(found: int, of: int) -> None:
    bound = lower_bound(found, of)
    assert binom.sf(found - 1, of, bound) == pytest.approx(0.05, rel=1e-6)


def test_the_false_alarms_have_an_upper_bound() -> None:
    point = operating_point(np.array([5, 5, 5, 1, 0, 0, 0, 0]), np.arange(8) < 3, 2)
    assert point.recall == 1.0 and point.false_alarms == 0.0
    assert point.recall_bound == pytest.approx(0.05 ** (1 / 3))
    assert point.false_alarms_bound == pytest.approx(1 - 0.05 ** (1 / 5))


def test_what_has_no_threshold_is_said() -> None:
    scores = np.arange(4)
    with pytest.raises(DataError, match="4 of 4 are positive"):
        threshold_for_recall(scores, np.ones(4), 0.9)
    with pytest.raises(UsageError, match="recall of 0"):
        threshold_for_recall(scores, scores > 1, 0.0)
    with pytest.raises(UsageError, match="chosen for integers"):
        threshold_for_recall(scores / 2, scores > 1, 0.9)
    with pytest.raises(UsageError, match="no share"):
        lower_bound(3, 2)
