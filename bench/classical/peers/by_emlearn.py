"""emlearn: forests, trees and perceptrons."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from rig import Firmware

from peers import Refused

VARIANTS = ("inline int16", "inline float", "loadable")


def firmware(estimator: Any, variant: str, integers: bool) -> Firmware:
    """C of emlearn; `integers` says that all features are integers of 16 bits."""
    import emlearn

    method, _, kind = variant.partition(" ")
    network = hasattr(estimator, "coefs_")
    if kind == "int16" and (network or not integers):
        raise Refused("features are no integers" if not network else "no int16 networks")
    if network and method == "inline":
        raise Refused("inline networks crash in emlearn 0.23.2")
    dtype = "float" if kind == "float" or network else "int16_t"
    if not network and method == "loadable" and not integers:
        raise Refused("loadable forests take int16 features")
    try:
        # It builds networks in a folder "tmp" below the current one.
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            converted = emlearn.convert(estimator, method=method, dtype=dtype)
            path = Path(folder) / "model.h"
            converted.save(file=str(path), name="model")
            text = path.read_text()
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {str(error)[:60]}") from error
    features = estimator.n_features_in_
    call = f"model_predict(x_in, {features})"
    return Firmware(text, call, dtype, include=(str(Path(emlearn.__file__).parent),))
