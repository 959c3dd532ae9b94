"""scikit-learn's linear models and perceptrons, compiled with the scalers in front of them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeRegressor

import netsuke as nk
from netsuke.errors import DataError, UsageError
from netsuke.estimators.convert import convertible, is_estimator, to_graph
from netsuke.ir import Graph, interpret_batch
from netsuke.verify import verify

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_avr = pytest.mark.skipif(
    shutil.which("avr-gcc") is None or shutil.which("simavr") is None,
    reason="avr-gcc or simavr is missing: no AVR is run",
)


def stored(graph: Graph, rows: np.ndarray) -> np.ndarray:
    quant = graph.tensors[graph.inputs[0]].quant
    assert quant is not None
    return np.stack([quant.quantize(row) for row in np.asarray(rows, np.float32)])


def output(graph: Graph, rows: np.ndarray) -> np.ndarray:
    return interpret_batch(graph, stored(graph, rows))[0]


def reals(graph: Graph, rows: np.ndarray) -> np.ndarray:
    quant = graph.tensors[graph.outputs[0]].quant
    assert quant is not None
    return (output(graph, rows)[:, 0].astype(float) - quant.zero_point[0]) * quant.scale[0]


def agreement(estimator, graph: Graph, rows: np.ndarray) -> float:
    said = estimator.classes_[output(graph, rows)[:, 0]]
    return float((said == estimator.predict(rows)).mean())


CLASSIFIERS = [
    LogisticRegression(max_iter=500),
    LinearSVC(),
    RidgeClassifier(),
    SGDClassifier(random_state=0),
    LinearDiscriminantAnalysis(),
]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_linear_classifiers_say_what_they_said(model, load) -> None:
    x, y = load(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(x, y)
    graph = to_graph(pipeline, x)
    assert [node.op.kind for node in graph.nodes] == ["linear_model"]
    assert agreement(pipeline, graph, x) >= 0.97


def dependent_rows() -> tuple[np.ndarray, np.ndarray]:
    """Integers of which one column is nearly the sum of two others, and labels."""
    rng = np.random.default_rng(0)
    x = np.rint(rng.normal(size=(300, 5)) * 5000)
    x[:, 4] = np.rint((x[:, 0] + x[:, 1]) / 2)
    return x, (x[:, 0] - x[:, 2] + 500 * rng.normal(size=300) > 0).astype(int)


def test_large_weights_that_cancel_out_survive_eight_bits() -> None:
    x, y = dependent_rows()
    model = LogisticRegression().fit(x, y)
    lever = 20 * np.abs(model.coef_).max()  # 0.5 (a + b) - c is nearly zero on all rows
    model.coef_ = model.coef_ + lever * np.array([[0.5, 0.5, 0, 0, -1]])
    assert model.score(x, y) > 0.9
    assert agreement(model, to_graph(model, x), x) >= 0.97


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        MLPClassifier((6,), solver="lbfgs", max_iter=200, random_state=0),
        SVC(),
        KNeighborsClassifier(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_a_large_column_that_never_changes_harms_nothing(model) -> None:
    x, y = load_iris(return_X_y=True)
    x = np.column_stack([x, np.full(len(x), 1e9 + 3)])
    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(x, y)
    assert agreement(pipeline, to_graph(pipeline, x), x) >= 0.97


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((-1, 2)), MaxAbsScaler()])
def test_scalers_know_between_which_values_features_lie(scaler) -> None:
    x, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(scaler, LogisticRegression(max_iter=500)).fit(x, y)
    assert agreement(pipeline, to_graph(pipeline), x) >= 0.96


def test_several_scalers_are_folded_in_turn() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    scalers = [RobustScaler(), StandardScaler(with_mean=False), MinMaxScaler((3, 4)), "passthrough"]
    pipeline = make_pipeline(*scalers, LinearSVC()).fit(x, y)
    assert agreement(pipeline, to_graph(pipeline, x), x) >= 0.97


def test_raw_integers_stay_as_they_are() -> None:
    x, y = load_digits(return_X_y=True)
    graph = to_graph(LogisticRegression(C=0.05, max_iter=200).fit(x, y), x)
    tensor = graph.tensors[graph.inputs[0]]
    assert tensor.dtype == "int8" and tensor.quant.scale == (1.0,)
    np.testing.assert_array_equal(stored(graph, x), x.astype(np.int8))
    shifted = to_graph(LogisticRegression(max_iter=50).fit(x + 200, y), x + 200)
    assert shifted.tensors[shifted.inputs[0]].dtype == "uint8"


@pytest.mark.parametrize(
    "model", [LinearRegression(), Ridge(), Lasso(0.1), LinearSVR(C=100.0, max_iter=9999)]
)
def test_regressors_predict_within_a_hundredth_of_the_range(model) -> None:
    x, y = load_diabetes(return_X_y=True)
    model = clone(model).fit(x, y)
    graph = to_graph(model, x)
    predicted = reals(graph, x)
    assert np.abs(predicted - model.predict(x)).max() < np.ptp(y) / 50
    assert np.abs(predicted - model.predict(x)).mean() < np.ptp(y) / 200


def test_a_regressor_of_several_targets_has_several_scores() -> None:
    x, y = load_diabetes(return_X_y=True)
    targets = np.stack([y, 2 * y - 40.0], 1)
    model = LinearRegression().fit(x, targets)
    graph = to_graph(model, x)
    predicted = output(graph, x) * graph.tensors[graph.outputs[0]].quant.scale[0]
    assert np.abs(predicted - model.predict(x)).max() < np.ptp(targets) / 50


@pytest.mark.parametrize("layers", [(6,), (9, 5)])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_perceptrons_say_what_they_said(layers: tuple[int, ...], activation: str) -> None:
    x, y = load_iris(return_X_y=True)
    network = MLPClassifier(layers, activation=activation, max_iter=400, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network).fit(x, y)
    graph = to_graph(pipeline, x)
    kinds = [node.op.kind for node in graph.nodes]
    assert kinds == ["projection"] * len(layers) + ["linear_model"]
    assert agreement(pipeline, graph, x) >= 0.96
    assert agreement(pipeline, to_graph(pipeline), x) >= 0.94


def test_a_network_regressor_is_close() -> None:
    x, y = load_diabetes(return_X_y=True)
    network = MLPRegressor(hidden_layer_sizes=(8,), max_iter=600, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network).fit(x, y)
    graph = to_graph(pipeline, x)
    predicted = output(graph, x)[:, 0] * graph.tensors[graph.outputs[0]].quant.scale[0]
    assert np.corrcoef(predicted, pipeline.predict(x))[0, 1] > 0.995


@needs_avr
@pytest.mark.parametrize("device", ["arduino-uno", "rpi-pico"])
def test_what_is_compiled_is_proved_with_the_rows_of_the_data(device: str) -> None:
    x, y = load_iris(return_X_y=True)
    network = MLPClassifier((5,), max_iter=300, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network).fit(x, y)
    artifact = nk.compile(pipeline, device, x)
    on = ("host", "simavr") if device == "arduino-uno" else ("host", "unicorn")
    found = verify(artifact, on=on, inputs=[x[::4].astype(np.float32)])
    assert found.bit_exact and found.samples == 38


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x, y: LogisticRegression(), "not fitted"),
        (lambda x, y: GaussianNB().fit(x, y), "GaussianNB cannot be compiled"),
        (lambda x, y: AdaBoostClassifier(n_estimators=2).fit(x, y), "AdaBoostClassifier"),
        (
            lambda x, y: make_pipeline(PolynomialFeatures(), LinearSVC()).fit(x, y),
            "PolynomialFeatures in front",
        ),
        (
            lambda x, y: make_pipeline(MinMaxScaler(clip=True), LinearSVC()).fit(x, y),
            "clip=False",
        ),
        (
            lambda x, y: MLPClassifier((3,), activation="tanh", max_iter=5).fit(x, y),
            "activation='relu'",
        ),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_a_way_out(make, words: str) -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(UsageError, match=words):
        to_graph(make(x, y), x)


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("model", [RidgeClassifier(), MLPClassifier((3,), max_iter=9)])
def test_several_labels_a_row_are_refused(model, labels: int) -> None:
    x, y = load_iris(return_X_y=True)
    model = clone(model).fit(x, np.eye(3, dtype=int)[y][:, :labels])
    with pytest.raises(UsageError, match="several labels a row"):
        to_graph(model, x)


@pytest.mark.parametrize(
    "model",
    [
        Ridge(1e-3),
        DecisionTreeRegressor(max_depth=5, random_state=0),
        RandomForestRegressor(10, max_depth=5, random_state=0),
        GradientBoostingRegressor(n_estimators=10, random_state=0),
    ],
    ids=lambda m: type(m).__name__,
)
@pytest.mark.parametrize("offset", [0.0, 1e6, -1e9])
def test_a_value_far_from_zero_keeps_what_varies(model, offset: float) -> None:
    x, y = load_diabetes(return_X_y=True)
    model = clone(model).fit(x, y + offset)
    graph = to_graph(model, x)
    said = reals(graph, x)
    step = abs(offset) / 2**30  # what one integer is worth at least
    weights = x.shape[1] if hasattr(model, "coef_") else 0
    allowed = 0.02 * y.std() + step * (12 + 64 * weights)
    assert np.abs(said - model.predict(x)).mean() <= allowed
    assert np.corrcoef(said, model.predict(x))[0, 1] > 0.9


def test_without_samples_or_scaler_the_ranges_are_asked_for() -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(UsageError, match="--data"):
        to_graph(LogisticRegression(max_iter=300).fit(x, y))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((5, 3)), "rows of 4"),
        (np.full((5, 4), np.nan), "NaN"),
        ([["a", "b", "c", "d"]], "no numbers"),
        (np.zeros((0, 4)), "rows of 4"),
    ],
)
def test_samples_that_do_not_serve_are_refused(samples, words: str) -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(DataError, match=words):
        to_graph(LogisticRegression(max_iter=300).fit(x, y), samples)


def test_classes_are_no_estimators_and_the_list_is_sorted() -> None:
    assert is_estimator(LinearSVC()) and not is_estimator(LinearSVC) and not is_estimator("x")
    assert list(convertible()) == sorted(convertible()) and "LinearSVC" in convertible()
