"""Training learns, repeats itself, and goes on where it was stopped."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netsuke.data import Dataset, from_arrays, load_data
from netsuke.errors import DataError, UsageError
from netsuke.ir import Graph, GraphBuilder
from netsuke.models import build
from netsuke.ops import Dense
from netsuke.train import Recipe, evaluate, loop, predict, scores_graph, train
from netsuke.train.augment import augment

QUICK = Recipe(epochs=2, batch=64, lr=3e-3, threads=1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits")


@pytest.fixture(scope="module")
def small() -> Graph:
    return build("lenet?size=8&width=0.5")


def test_a_network_learns_digits(digits: Dataset, small: Graph) -> None:
    before = evaluate(small, digits, digits.test).metric
    trained = train(small, digits, replace(QUICK, epochs=10))
    after = evaluate(trained.graph, digits, digits.test).metric
    assert before < 40 and after > 90
    losses = [entry["loss"] for entry in trained.history]
    assert len(losses) == 10 and losses[-1] < 0.3 * losses[0] and trained.finished


def test_the_same_seed_gives_the_same_weights(digits: Dataset, small: Graph) -> None:
    first, again = (train(small, digits, QUICK).graph.fingerprint() for _ in range(2))
    other = train(small, digits, replace(QUICK, seed=1)).graph.fingerprint()
    assert first == again != other


class StopError(Exception):
    pass


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_stopped_training_ends_as_if_it_had_not_been(
    digits: Dataset, small: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    recipe = replace(QUICK, epochs=3, optimizer=optimizer, augment="shift", lr=1e-3)
    whole = train(small, digits, recipe).graph
    save = loop.save_checkpoint

    def stop(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        raise StopError

    monkeypatch.setattr(loop, "save_checkpoint", stop)
    with pytest.raises(StopError):
        train(small, digits, recipe, out=tmp_path)
    monkeypatch.setattr(loop, "save_checkpoint", save)
    resumed = train(small, digits, recipe, out=tmp_path, resume=True)
    assert resumed.graph.fingerprint() == whole.fingerprint() and len(resumed.history) == 3
    with pytest.raises(UsageError, match="another recipe"):
        train(small, digits, replace(recipe, lr=2e-3), out=tmp_path, resume=True)
    (tmp_path / "checkpoint.npz").write_bytes(b"PK half a file")
    with pytest.raises(DataError, match="cannot be read"):
        train(small, digits, recipe, out=tmp_path, resume=True)


def test_a_student_learns_from_scores_alone(digits: Dataset, small: Graph) -> None:
    teacher = train(build("lenet?size=8"), digits, replace(QUICK, epochs=6)).graph
    bare = replace(
        digits, **{name: replace(part, targets=None) for name, part in digits.parts.items()}
    )
    taught = predict(scores_graph(teacher), bare.train)
    first = train(small, bare, replace(QUICK, epochs=6), teacher=teacher).graph
    again = train(small, bare, replace(QUICK, epochs=6), taught=taught).graph
    assert evaluate(first, digits, digits.test).metric > 85
    assert first.fingerprint() == again.fingerprint()
    with pytest.raises(DataError, match="no labels and there is no teacher"):
        train(small, bare, QUICK)


def test_a_deadline_ends_training_early(digits: Dataset, small: Graph) -> None:
    started = time.monotonic()
    trained = train(small, digits, replace(QUICK, epochs=5000), deadline=started + 0.5)
    assert not trained.finished and time.monotonic() - started < 5.0


def test_a_regression_is_learned() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 4)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5, 0.0] + 3.0).astype(np.float32)
    data = from_arrays((x[:400], y[:400]), (x[400:500], y[400:500]), (x[500:], y[500:]))
    builder = GraphBuilder()
    name = builder.input("x", (4,))
    weights = builder.constant("w", rng.normal(size=(1, 4)).astype(np.float32))
    bias = builder.constant("b", np.zeros(1, np.float32))
    graph = builder.build([builder.one(Dense(), name, weights, bias)])
    trained = train(graph, data, replace(QUICK, epochs=60, lr=3e-2, weight_decay=0.0))
    assert evaluate(trained.graph, data, data.test).metric > 99.0


def test_two_classes_may_have_one_score() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    data = from_arrays((x[:200], y[:200]), (x[200:250], y[200:250]), (x[250:], y[250:]))
    builder = GraphBuilder()
    name = builder.input("x", (3,))
    weights = builder.constant("w", rng.normal(size=(1, 3)).astype(np.float32))
    bias = builder.constant("b", np.zeros(1, np.float32))
    graph = builder.build([builder.one(Dense(), name, weights, bias)])
    trained = train(graph, data, replace(QUICK, epochs=40, lr=0.2))
    assert evaluate(trained.graph, data, data.test).metric >= 94.0


def test_what_does_not_match_is_said_before_anything_is_done(digits: Dataset) -> None:
    with pytest.raises(UsageError, match=r"takes samples of \[28, 28, 1\].*size=28x28"):
        train(build("lenet"), digits, QUICK)
    with pytest.raises(UsageError, match=r"scores 3 classes.*\?classes=10"):
        train(build("lenet?size=8&classes=3"), digits, QUICK)
    with pytest.raises(UsageError, match="lr=-1"):
        Recipe(lr=-1)


def test_shifts_and_mirrors_keep_values_and_follow_the_seed() -> None:
    x = np.random.default_rng(0).uniform(size=(50, 16, 16, 2)).astype(np.float32)
    moved = augment(x, "shift", np.random.default_rng(1))
    assert moved.shape == x.shape and np.isin(moved, x).all() and not np.array_equal(moved, x)
    assert np.array_equal(moved, augment(x, "shift", np.random.default_rng(1)))
    flipped = augment(x, "flip", np.random.default_rng(1))
    assert not np.array_equal(flipped, moved)
    assert augment(x, "none", np.random.default_rng(1)) is x
