"""Bonsai, ProtoNN, the small network and the linear classifier: what they promise."""

from __future__ import annotations

import pickle
import shutil
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.codegen.c import weight_bytes
from netsuke.errors import MissingToolError, UsageError
from netsuke.estimators import (
    BonsaiClassifier,
    BonsaiRegressor,
    ProtoNNClassifier,
    TinyLinearClassifier,
    TinyMLPClassifier,
)
from netsuke.ir import Array, interpret_batch
from netsuke.schedule import plan
from netsuke.verify.host import HostLibrary
from netsuke.verify.simavr import SimavrModel, rig

UNO = nk.device("arduino-uno")
Split = tuple[Array, Array, Array, Array]


def missing() -> str:
    if shutil.which("avr-gcc") is None:
        return "avr-gcc"
    try:
        rig()
    except MissingToolError as error:
        return error.tool
    return ""


def classifiers(steps: int = 300) -> list[Any]:
    quick = {"max_iter": steps, "random_state": 0}
    return [
        BonsaiClassifier(900, depth=2, shared_gate=True, **quick),
        BonsaiClassifier(None, depth=0, weight_bits=8, **quick),
        ProtoNNClassifier(900, **quick),
        TinyLinearClassifier(300),
        TinyLinearClassifier(None, weight_bits=4),
        TinyMLPClassifier(700, **quick),
    ]


def split(name: str) -> Split:
    load = {"digits": load_digits, "cancer": load_breast_cancer}[name]
    x, y = load(return_X_y=True)
    return tuple(train_test_split(x, y, test_size=0.3, random_state=0, stratify=y))


@pytest.fixture(scope="module", params=["digits", "cancer"])
def data(request: pytest.FixtureRequest) -> Split:
    return split(request.param)


@pytest.mark.parametrize("model", classifiers(), ids=str)
def test_a_prediction_is_what_the_graph_and_its_c_compute(model: Any, data: Split) -> None:
    train, test, labels, _ = data
    model.fit(train, labels)
    rows = model.stored(test)[:60]
    for output in ("class", "scores"):
        graph = model.to_graph(output)
        (meant,) = interpret_batch(graph, rows)
        np.testing.assert_array_equal(HostLibrary(compile_graph(graph, UNO)).run(rows)[0], meant)
        if output == "class":
            predicted = model.predict(test)[:60]
            np.testing.assert_array_equal(model.classes_[meant[:, 0]], predicted)
        else:
            scores = model.decision_function(test)[:60]
            order = np.argsort(meant.reshape(scores.shape), axis=None, kind="stable")
            assert (np.diff(scores.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("model", classifiers(60), ids=str)
def test_the_model_is_within_its_bytes(model: Any, data: Split) -> None:
    model.fit(data[0], data[2])
    assert model.max_bytes is None or model.model_bytes_ <= model.max_bytes
    assert weight_bytes(plan(model.to_graph(), UNO)) <= model.model_bytes_


@pytest.mark.skipif(bool(missing()), reason=f"{missing()} is missing: no AVR runs the estimators")
@pytest.mark.parametrize("model", classifiers(150), ids=str)
def test_an_uno_computes_the_same_classes(model: Any, data: Split) -> None:
    train, test, labels, _ = data
    model.fit(train, labels)
    rows = model.stored(test)[:40]
    emulated = SimavrModel(compile_graph(model.to_graph(), UNO))
    (decided,) = emulated.run(rows)
    np.testing.assert_array_equal(model.classes_[decided[:, 0]], model.predict(test)[:40])


@pytest.mark.skipif(bool(missing()), reason=f"{missing()} is missing: no cycles are compared")
@pytest.mark.parametrize("model", classifiers(150), ids=str)
def test_cycles_are_known_within_five_percent_before_anything_is_compiled(model: Any) -> None:
    train, test, labels, _ = split("digits")
    graph = model.fit(train, labels).to_graph()
    planned = plan(graph, UNO)
    modelled = sum(step.kernel.cycles for step in planned.steps if step.kernel)
    emulated = SimavrModel(compile_graph(graph, UNO))
    emulated.run(model.stored(test)[:20])
    assert modelled == pytest.approx(np.mean(emulated.cycles), rel=0.05)


@pytest.mark.skipif(bool(missing()), reason=f"{missing()} is missing: no AVR is streamed to")
@pytest.mark.parametrize(
    "model",
    [
        TinyLinearClassifier(),
        BonsaiClassifier(700, max_iter=150, random_state=0),
        TinyMLPClassifier(700, hidden_size=6, weight_bits=8, max_iter=150, random_state=0),
    ],
    ids=str,
)
def test_features_can_be_pushed_one_by_one(model: Any) -> None:
    train, test, labels, _ = split("digits")
    model.fit(train, labels)
    rows = model.stored(test)[:40]
    for output in ("class", "scores"):
        graph = model.to_graph(output)
        pushed = compile_graph(graph, UNO, stream=True)
        (meant,) = interpret_batch(graph, rows)
        np.testing.assert_array_equal(HostLibrary(pushed).run(rows)[0], meant)
        np.testing.assert_array_equal(SimavrModel(pushed).run(rows)[0], meant)
        assert pushed.plan.arena <= train.shape[1]


@pytest.mark.parametrize(
    ("model", "name", "least"),
    [
        (TinyMLPClassifier(820, hidden_size=18, max_iter=2400, random_state=0), "digits", 0.965),
        (BonsaiClassifier(1000, depth=1, max_iter=1500, random_state=0), "digits", 0.93),
        (ProtoNNClassifier(1100, prototypes=30, max_iter=1500, random_state=0), "digits", 0.95),
        (TinyLinearClassifier(), "digits", 0.95),
        (TinyLinearClassifier(), "cancer", 0.95),
        (TinyLinearClassifier(24, weight_bits=4), "cancer", 0.93),
    ],
    ids=str,
)
def test_small_models_are_good_models(model: Any, name: str, least: float) -> None:
    train, test, labels, truth = split(name)
    assert model.fit(train, labels).score(test, truth) >= least


def test_a_regressor_follows_its_values_and_its_graph() -> None:
    x, y = load_diabetes(return_X_y=True)
    train, test, values, truth = train_test_split(x, y, test_size=0.3, random_state=0)
    model = BonsaiRegressor(300, max_iter=1200, random_state=0).fit(train, values)
    assert model.score(test, truth) > 0.35
    graph = model.to_graph()
    rows = model.stored(test)
    (stored,) = HostLibrary(compile_graph(graph, UNO)).run(rows)
    quant = graph.tensors[graph.outputs[0]].quant
    assert quant is not None
    np.testing.assert_allclose(quant.dequantize(stored)[:, 0], model.predict(test), rtol=1e-6)


def test_the_same_random_state_gives_the_same_model_and_survives_a_pickle() -> None:
    train, test, labels, _ = split("cancer")
    model = BonsaiClassifier(200, max_iter=90, restarts=2, random_state=3).fit(train, labels)
    again = clone(model).fit(train, labels)
    thawed = pickle.loads(pickle.dumps(model))
    assert model.graph_.fingerprint() == again.graph_.fingerprint()
    np.testing.assert_array_equal(thawed.predict(test), model.predict(test))
    other = clone(model).set_params(random_state=4).fit(train, labels)
    assert other.graph_.fingerprint() != model.graph_.fingerprint()


def test_grid_search_over_a_pipeline_finds_a_budget() -> None:
    train, test, labels, truth = split("cancer")
    pipeline = make_pipeline(StandardScaler(), TinyLinearClassifier())
    search = GridSearchCV(pipeline, {"tinylinearclassifier__max_bytes": [5, 32]}, cv=3)
    search.fit(train, labels)
    assert search.best_params_ == {"tinylinearclassifier__max_bytes": 32}
    assert search.score(test, truth) > 0.93


def test_rows_of_a_data_frame_are_known_by_their_columns() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is missing: no data frames")
    train, test, labels, _ = split("cancer")
    names = [f"f{i}" for i in range(train.shape[1])]
    model = TinyLinearClassifier().fit(pandas.DataFrame(train, columns=names), labels)
    assert model.feature_names_in_.tolist() == names
    frame = pandas.DataFrame(test, columns=names)
    np.testing.assert_array_equal(model.predict(frame), model.fit(train, labels).predict(test))
    with pytest.raises(ValueError, match="feature names"):
        model.fit(pandas.DataFrame(train, columns=names), labels).predict(frame[names[::-1]])


def test_restarts_are_chosen_on_rows_that_were_held_out() -> None:
    train, _, labels, _ = split("digits")
    many = TinyMLPClassifier(700, max_iter=90, restarts=3, random_state=0).fit(train, labels)
    one = TinyMLPClassifier(700, max_iter=90, random_state=0).fit(train, labels)
    assert many.graph_.fingerprint() != one.graph_.fingerprint()


def test_a_teacher_changes_what_is_learned() -> None:
    train, test, labels, truth = split("digits")
    model = TinyLinearClassifier(teacher=SVC(C=10, gamma=1e-3)).fit(train, labels)
    alone = TinyLinearClassifier().fit(train, labels)
    assert model.graph_.fingerprint() != alone.graph_.fingerprint()
    assert model.score(test, truth) > 0.94


def test_features_are_shown_as_they_came() -> None:
    train, _, labels, _ = split("digits")
    assert not TinyLinearClassifier().fit(train, labels).to_graph().ports
    bytes_ = TinyLinearClassifier().fit(train * 15, labels).to_graph()
    assert bytes_.ports["features"].dtype == "uint8"
    reals = TinyLinearClassifier().fit(train / 3, labels).to_graph()
    assert reals.ports["features"].dtype == "float32"
    with pytest.raises(UsageError, match="neither"):
        TinyLinearClassifier().fit(train, labels).to_graph("label")
