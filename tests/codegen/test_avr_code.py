"""What is predicted of programs for an AVR before they are compiled."""

from __future__ import annotations

import shutil
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.codegen.avr_code import code_on_avr, cycles_on_avr, variant
from netsuke.codegen.footprint import footprint
from netsuke.ir import Kernel
from netsuke.verify.simavr import SimavrModel

UNO = nk.device("arduino-uno")
needs_avr = pytest.mark.skipif(
    shutil.which("avr-gcc") is None or shutil.which("simavr") is None,
    reason="avr-gcc or simavr is missing: no prediction is checked",
)


def models():
    """Of other sizes than those that were recorded."""
    yield load_digits, make_pipeline(MinMaxScaler(), LogisticRegression())
    yield load_digits, make_pipeline(MinMaxScaler(), MLPClassifier((12,), max_iter=40))
    yield load_breast_cancer, make_pipeline(StandardScaler(), LogisticRegression())
    yield load_breast_cancer, make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=40))
    yield load_wine, make_pipeline(StandardScaler(), MLPClassifier((6, 4), max_iter=40))


@needs_avr
@pytest.mark.parametrize("number", range(5))
def test_flash_and_cycles_are_predicted_within_five_per_cent(number: int) -> None:
    load, estimator = list(models())[number]
    x, y = load(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = nk.load(estimator.fit(x, y), samples=x)
    quant = graph.tensors[graph.inputs[0]].quant
    assert quant is not None
    rows = np.stack([quant.quantize(row) for row in x[:40].astype(np.float32)])
    artifact = compile_graph(graph, UNO)
    model = SimavrModel(artifact)
    model.run(rows)
    flash = footprint(artifact.plan, UNO, artifact.weights).flash
    assert flash == pytest.approx(model.image.sizes.flash, rel=0.05)
    measured = float(np.mean(model.cycles))
    assert cycles_on_avr(artifact.plan) == pytest.approx(measured, rel=0.05)
    assert cycles_on_avr(artifact.plan, [rows]) == pytest.approx(measured, rel=0.05)


def test_small_counts_and_flags_make_a_variant() -> None:
    parameters = {"units": 1, "depth": 30, "form": 2, "wide_leaf": 0, "rows": 7}
    kernel = Kernel("nsk_thing", "thing.c", "nsk_thing", parameters)
    assert variant(kernel) == "nsk_thing units=1 form=2"


def test_an_unknown_function_counts_as_large() -> None:
    kernel = Kernel("nsk_never_measured", "thing.c")
    assert code_on_avr([kernel]) >= 500
