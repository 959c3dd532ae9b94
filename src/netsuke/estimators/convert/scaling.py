"""Scalers in front of an estimator, folded into what it is told about its features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import REACH, Features
from netsuke.ir import Array


def fold_scaler(scaler: Any, features: Features) -> Features:
    """The features behind one more scaler.

    Raises
    ------
    UsageError
        When the step of the pipeline is no scaler that is known, or clips.
    """
    kind = type(scaler).__name__
    if isinstance(scaler, str) and scaler == "passthrough":
        return features
    if kind not in SCALERS:
        raise UsageError(
            f"{kind} in front of a model cannot be compiled; known are {', '.join(sorted(SCALERS))}"
        )
    if getattr(scaler, "clip", False):
        raise UsageError(f"{kind}(clip=True) cannot be compiled; fit it with clip=False")
    centre, spread, low, high = SCALERS[kind](scaler)
    # (x - shift) * factor, then (that - centre) / spread
    inner = {"low": features.low, "high": features.high}
    if features.low is None and low is not None and high is not None:
        inner = {
            "low": low / features.factor + features.shift,
            "high": high / features.factor + features.shift,
        }
    return Features(
        shift=features.shift + centre / features.factor,
        factor=features.factor / spread,
        samples=features.samples,
        names=features.names,
        **inner,
    )


Scaling = tuple[Array, Array, Array | None, Array | None]
"""Centre, spread, and between which values its input lies."""


def _standard(scaler: Any) -> Scaling:
    count = scaler.n_features_in_
    mean = np.zeros(count) if scaler.mean_ is None else np.asarray(scaler.mean_, np.float64)
    spread = np.ones(count) if scaler.scale_ is None else np.asarray(scaler.scale_, np.float64)
    if scaler.mean_ is None or scaler.var_ is None:
        # Without both, the data's centre or spread was never looked at.
        centre = np.zeros(count) if not scaler.with_mean else mean
        return centre, spread, None, None
    reach = REACH * np.sqrt(np.asarray(scaler.var_, np.float64))
    centre = mean if scaler.with_mean else np.zeros(count)
    return centre, spread, mean - reach, mean + reach


def _min_max(scaler: Any) -> Scaling:
    factor = np.asarray(scaler.scale_, np.float64)
    centre = -np.asarray(scaler.min_, np.float64) / factor
    return centre, 1.0 / factor, np.asarray(scaler.data_min_), np.asarray(scaler.data_max_)


def _max_abs(scaler: Any) -> Scaling:
    spread = np.asarray(scaler.scale_, np.float64)
    reach = np.asarray(scaler.max_abs_, np.float64)
    return np.zeros(len(spread)), spread, -reach, reach


def _robust(scaler: Any) -> Scaling:
    count = scaler.n_features_in_
    centre = np.zeros(count) if scaler.center_ is None else np.asarray(scaler.center_, np.float64)
    spread = np.ones(count) if scaler.scale_ is None else np.asarray(scaler.scale_, np.float64)
    return centre, spread, None, None


SCALERS: dict[str, Callable[[Any], Scaling]] = {
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
}
