"""Soft trees from probabilities and from networks: the paper's loss, exact labels, the C."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import netsuke as nk
from netsuke.cli import main
from netsuke.codegen import compile_graph
from netsuke.errors import UsageError
from netsuke.estimators import SoftDecisionTreeClassifier, explain
from netsuke.estimators.distill import stored_rows, teacher_scores
from netsuke.estimators.files import load_estimator
from netsuke.estimators.training.soft_splits import SoftSplits
from netsuke.ir import Array
from netsuke.verify.host import HostLibrary

QUICK: dict[str, Any] = {"n_init": 1, "max_iter": 20}
NETWORK = "lenet_300_100?size=8&width=0.2"


def quick(depth: int = 2) -> SoftDecisionTreeClassifier:
    return SoftDecisionTreeClassifier(depth, random_state=0, **QUICK)


def softmax(values: Array) -> Array:
    powers = np.exp(values)
    return powers / powers.sum(axis=-1, keepdims=True)


def loss_of_the_paper(tree: SoftSplits, X: Array, T: Array, weight: Array, reach: Array) -> float:
    """Leaf by leaf and split by split for depth 2, with the P^i of C given: arXiv:1711.09784."""
    p = 1 / (1 + np.exp(-(X @ tree.weights.T + tree.bias)))
    paths = [
        (1 - p[:, 0]) * (1 - p[:, 1]),
        (1 - p[:, 0]) * p[:, 1],
        p[:, 0] * (1 - p[:, 2]),
        p[:, 0] * p[:, 2],
    ]
    total = 0.0
    for leaf, path in enumerate(paths):
        total -= weight @ (path * (T * np.log(softmax(tree.leaves[leaf]))).sum(1))
    for split, given in enumerate(reach.T):
        alpha = weight @ (given * p[:, split]) / (weight @ given)
        decay = 1.0 if split == 0 else 0.5
        total -= tree.penalty * decay * 0.5 * (np.log(alpha) + np.log(1 - alpha))
    return float(total)


def test_the_gradients_are_those_of_the_papers_loss_on_soft_targets() -> None:
    rng = np.random.default_rng(1)
    X, weight = rng.normal(size=(12, 3)), rng.uniform(0.5, 1.5, 12) / 12
    targets = softmax(rng.normal(size=(12, 4)))
    tree = SoftSplits(rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(4, 4)), 0.7)
    first = 1 / (1 + np.exp(-(X @ tree.weights[0] + tree.bias[0])))
    reach = np.stack([np.ones(12), 1 - first, first], 1)
    weight /= weight.sum()
    gradients = tree.gradients(X, targets, weight, 1.0)
    for name, values in tree.parameters().items():
        for index in np.ndindex(values.shape):
            kept, ends = values[index], []
            for step in (1e-5, -1e-5):
                values[index] = kept + step
                ends.append(loss_of_the_paper(tree, X, targets, weight, reach))
            values[index] = kept
            assert gradients[name][index] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_one_hot_targets_are_labels() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])
    weight = np.arange(len(X)) % 3
    hard = quick().fit(X, names[y], weight)
    soft = quick().fit(X, np.eye(3)[y], weight, classes=names)
    for name in ("coef_", "intercept_", "leaves_", "classes_"):
        np.testing.assert_array_equal(getattr(soft, name), getattr(hard, name))
    np.testing.assert_array_equal(soft.predict(X), hard.predict(X))


def test_leaves_hold_the_mean_of_the_soft_targets_that_reach_them() -> None:
    X, y = load_iris(return_X_y=True)
    taught = LogisticRegression(C=0.05, max_iter=500).fit(X, y).predict_proba(X)
    tree = quick(1).fit(X, taught)
    assert tree.classes_.tolist() == [0, 1, 2]
    right = (X * tree.coef_[0]).sum(1) + tree.intercept_[0] > 0
    for side in (False, True):
        mean = taught[right == side].mean(0)
        np.testing.assert_allclose(tree.leaves_[int(side)], mean, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({(4, 1): np.nan}, "row 4, class 1 is NaN"),
        ({(4, 1): np.inf}, "row 4, class 1 is NaN or infinite"),
        ({(7, 0): -0.25, (7, 1): 1.25, (7, 2): 0.0}, "-0.25 at row 7, class 0 is negative"),
        ({(9, 2): 0.5}, "row 9 sum to"),
    ],
)
def test_what_is_no_distribution_is_refused(change: dict[Any, float], why: str) -> None:
    X, y = load_iris(return_X_y=True)
    targets = np.eye(3)[y]
    for place, value in change.items():
        targets[place] = value
    with pytest.raises(ValueError, match=why):
        quick().fit(X, targets)


def test_wrong_shapes_of_soft_targets_are_refused() -> None:
    X, y = load_iris(return_X_y=True)
    targets = np.eye(3)[y]
    with pytest.raises(ValueError, match="149 rows came with 150"):
        quick().fit(X, targets[1:])
    with pytest.raises(ValueError, match="2 classes are named for 3"):
        quick().fit(X, targets, classes=["a", "b"])
    with pytest.raises(ValueError, match="rising order"):
        quick().fit(X, targets, classes=["b", "a", "c"])
    with pytest.raises(ValueError, match="y holds labels"):
        quick().fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError):
        quick().fit(X, np.stack([targets, targets], 1))
    with pytest.raises(ValueError, match="something else"):
        quick().fit(X, np.full((150, 3), "half"))


@pytest.fixture(scope="module")
def network() -> nk.Graph:
    return nk.train(NETWORK, "digits", epochs=8, seed=0, threads=1)


def test_a_tree_of_a_network_is_the_same_in_c_and_explains_itself(network: nk.Graph) -> None:
    data = nk.data("digits")
    tree = nk.distill_to_tree(network, data, depth=4, temperature=2.0, **QUICK)
    rows = stored_rows(data.test)
    assert tree.score(rows, data.test.labels) > 0.7
    meant = teacher_scores(network, data, data.test).argmax(1)
    assert (tree.predict(rows) == meant).mean() > 0.7
    artifact = nk.compile(tree, "nucleo-f446re")
    (said,) = nk.run(artifact, rows.astype(np.int8))
    np.testing.assert_array_equal(tree.classes_[said.ravel()], tree.predict(rows))
    scores = compile_graph(tree.to_graph("scores"), nk.device("nucleo-f446re"))
    (shares,) = HostLibrary(scores).run(rows.astype(np.int8))
    np.testing.assert_array_equal(shares.reshape(len(rows), -1).argmax(1), said.ravel())
    assert len(explain(tree, rows[0]).path) == 4


def test_share_and_temperature_make_the_targets(
    network: nk.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, seen = nk.data("digits"), []

    def kept(self: Any, X: Array, y: Array) -> Any:
        seen.append(y)
        return self

    monkeypatch.setattr(SoftDecisionTreeClassifier, "fit", kept)
    for share in (0.0, 0.25, 1.0):
        nk.distill_to_tree(network, data, share=share, temperature=4.0)
    hard = np.eye(10)[data.train.labels]
    soft = softmax(teacher_scores(network, data, data.train) / 4.0)
    np.testing.assert_array_equal(seen[0], hard)
    np.testing.assert_allclose(seen[1], 0.75 * hard + 0.25 * soft, atol=1e-12)
    np.testing.assert_allclose(seen[2], soft, atol=1e-12)


def test_integers_and_estimators_teach_too(network: nk.Graph) -> None:
    data = nk.data("digits")
    integers = nk.quantize(network, data, samples=64)
    real, rounded = (teacher_scores(graph, data, data.test) for graph in (network, integers))
    assert (real.argmax(1) == rounded.argmax(1)).mean() > 0.95
    rows, labels = stored_rows(data.train), data.train.labels
    linear = LogisticRegression(max_iter=50, tol=1e-2).fit(rows, labels)
    tree = nk.distill_to_tree(linear, data, 4, share=1.0, **QUICK)
    assert (tree.predict(rows) == linear.predict(rows)).mean() > 0.7


def test_a_call_that_cannot_be_meant_is_refused(network: nk.Graph) -> None:
    for wrong, why in [
        ({"temperature": 0.0}, "above 0"),
        ({"temperature": float("nan")}, "above 0"),
        ({"share": 1.5}, "between 0 and 1"),
        ({"share": float("nan")}, "between 0 and 1"),
        ({"depth": 13}, "between 1 and 12"),
        ({"dept": 3}, "no option 'dept'"),
    ]:
        with pytest.raises(UsageError, match=why):
            nk.distill_to_tree(network, "digits", **wrong)  # type: ignore[arg-type]
    many = nk.load(f"{NETWORK}&classes=12")
    with pytest.raises(UsageError, match="12 classes, digits has 10"):
        nk.distill_to_tree(many, "digits")
    with pytest.raises(UsageError, match="8"):
        nk.distill_to_tree("lenet", "digits")
    numbers = quick().fit(*load_iris(return_X_y=True)).to_graph()
    with pytest.raises(UsageError):
        nk.distill_to_tree(numbers, "digits")


def test_the_command_writes_what_the_others_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from netsuke.codegen.onnx import to_onnx

    model, out = tmp_path / "net.onnx", tmp_path / "tree.joblib"
    model.write_bytes(to_onnx(nk.load(NETWORK)))
    line = ["tree", str(model), "--data", "digits", "--depth", "2", "--passes", "5", "--tries", "1"]
    assert main([*line, "-o", str(tmp_path / "tree.txt")]) == 2
    assert main([*line, "-o", str(out), "--share", "2"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    capsys.readouterr()
    assert main([*line, "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    tree = load_estimator(out, trust_pickle=True)
    data = nk.data("digits")
    right = tree.predict(stored_rows(data.test)) == data.test.labels
    assert told["tree"] == pytest.approx(100 * right.mean()) and told["depth"] == 2
