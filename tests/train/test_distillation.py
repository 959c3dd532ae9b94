"""Views whose scores are computed once, hints from hidden layers, averages of weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from netsuke.data import Dataset, load_data
from netsuke.errors import DataError, UsageError
from netsuke.ir import Graph
from netsuke.models import build
from netsuke.train import Recipe, loop, scores_graph, train
from netsuke.train.augment import augment, draw_moves, moved
from netsuke.train.hints import find_pairs
from netsuke.train.optimizer import Average
from netsuke.train.teaching import Teaching, view_moves

QUICK = Recipe(epochs=2, batch=64, lr=3e-3, threads=1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits?limit=300")


@pytest.fixture(scope="module")
def small() -> Graph:
    return build("lenet?size=8&width=0.5")


@pytest.fixture(scope="module")
def teacher(digits: Dataset) -> Graph:
    return train(build("lenet?size=8"), digits, QUICK).graph


def test_rotations_are_the_eight_symmetries_of_the_square() -> None:
    x = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    moves = draw_moves("rotate", (3, 3, 1), 400, np.random.default_rng(0))
    still = replace(moves, down=0 * moves.down, right=0 * moves.right)
    seen = {image.tobytes() for image in moved(np.repeat(x, 400, axis=0), still)}
    plane = x[0, :, :, 0]
    square = {np.rot90(p, k).tobytes() for p in (plane, plane.T) for k in range(4)}
    assert seen == square and len(square) == 8


def test_images_that_are_not_square_keep_their_shape() -> None:
    x = np.random.default_rng(0).uniform(size=(40, 6, 9, 2)).astype(np.float32)
    y = augment(x, "rotate", np.random.default_rng(1))
    assert y.shape == x.shape and np.isin(y, x).all() and not np.array_equal(x, y)


def test_a_view_shows_teacher_and_student_the_same(
    digits: Dataset, teacher: Graph, tmp_path: Path
) -> None:
    recipe = replace(QUICK, augment="flip", views=3)
    teaching = Teaching(teacher, None, digits, recipe, tmp_path)
    positions = np.array([5, 0, 17])
    moves = view_moves(digits, recipe, 2)
    assert moves is not None
    shown = moved(digits.train.batch(positions), moves.of(positions))
    direct = Teaching(teacher, None, digits, replace(recipe, views=0))
    for view, same in ((2, True), (1, False)):
        kept = teaching.scores(shown, positions, view)
        assert torch.allclose(kept, direct.scores(shown, positions, None), atol=1e-5) is same


def test_the_teacher_computes_each_view_once_for_all_students(
    digits: Dataset, small: Graph, teacher: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(QUICK, epochs=5, augment="shift", views=2)
    counted: list[int] = []
    compute = Teaching._compute

    def count(self: Teaching, view: int) -> np.ndarray:
        counted.append(view)
        return compute(self, view)

    monkeypatch.setattr(Teaching, "_compute", count)
    first = train(small, digits, recipe, teacher=teacher, cache=tmp_path)
    assert counted == [0, 1] and len(list(tmp_path.glob("*.npy"))) == 2
    again = train(small, digits, recipe, teacher=teacher, cache=tmp_path)
    assert counted == [0, 1] and again.graph.fingerprint() == first.graph.fingerprint()
    train(small, digits, replace(recipe, seed=1), teacher=teacher, cache=tmp_path)
    assert counted == [0, 1, 0, 1]


def test_damaged_scores_are_named(digits: Dataset, teacher: Graph, tmp_path: Path) -> None:
    recipe = replace(QUICK, augment="shift", views=1)
    positions = np.arange(4)
    samples = digits.train.batch(positions)
    Teaching(teacher, None, digits, recipe, tmp_path).scores(samples, positions, 0)
    (path,) = tmp_path.glob("*.npy")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"delete it"):
        Teaching(teacher, None, digits, recipe, tmp_path).scores(samples, positions, 0)
    np.save(path, np.zeros((3, 10), np.float32))
    with pytest.raises(DataError, match=r"no scores of"):
        Teaching(teacher, None, digits, recipe, tmp_path).scores(samples, positions, 0)


def test_an_average_follows_its_formula() -> None:
    weight = torch.nn.Parameter(torch.tensor([8.0]))
    average = Average({"w": weight}, 0.5)
    for step, value in enumerate((0.0, 4.0)):
        weight.data.fill_(value)
        average.update(step)
    # d = 1/10, then 2/11: 8 -> 0.1·8 + 0.9·0 = 0.8 -> (2·0.8 + 9·4) / 11
    assert average.shadow["w"].item() == pytest.approx((2 * 0.8 + 9 * 4) / 11)
    average.exchange()
    assert weight.item() == pytest.approx((2 * 0.8 + 9 * 4) / 11)
    average.exchange()
    assert weight.item() == 4.0


class StopError(Exception):
    pass


def test_averages_views_and_hints_survive_a_stop(
    digits: Dataset, small: Graph, teacher: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(QUICK, epochs=3, augment="flip", views=2, ema=0.9, hint=0.5, hint_epochs=1)
    whole = train(small, digits, recipe, teacher=teacher).graph
    save = loop.save_checkpoint

    def stop(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        raise StopError

    monkeypatch.setattr(loop, "save_checkpoint", stop)
    with pytest.raises(StopError):
        train(small, digits, recipe, teacher=teacher, out=tmp_path)
    monkeypatch.setattr(loop, "save_checkpoint", save)
    resumed = train(small, digits, recipe, teacher=teacher, out=tmp_path, resume=True).graph
    assert resumed.fingerprint() == whole.fingerprint()
    plain = train(small, digits, replace(recipe, ema=0.0), teacher=teacher).graph
    assert plain.fingerprint() != whole.fingerprint()


def test_hints_of_a_cut_are_found_by_name_and_others_by_their_extents() -> None:
    wide = scores_graph(build("resnet8?width=1"))
    narrow = scores_graph(build("resnet8?width=0.5"))
    pairs = find_pairs(narrow, wide)
    assert len(pairs) == 3 and all(ours == theirs for ours, theirs in pairs)
    other = scores_graph(build("mobilenet_v1?size=32&width=0.25&classes=10"))
    pairs = find_pairs(other, wide)
    assert pairs
    for ours, theirs in pairs:
        assert other.tensors[ours].shape[:2] == wide.tensors[theirs].shape[:2]


def test_stage_one_learns_the_hint_alone(digits: Dataset, small: Graph, teacher: Graph) -> None:
    recipe = replace(QUICK, epochs=6, hint_epochs=6, batch=16)
    losses = [e["loss"] for e in train(small, digits, recipe, teacher=teacher).history]
    assert losses[-1] < 0.6 * losses[0]
    labels = replace(
        digits, **{name: replace(part, targets=None) for name, part in digits.parts.items()}
    )
    unlabelled = [e["loss"] for e in train(small, labels, recipe, teacher=teacher).history]
    assert unlabelled == losses, "labels must not matter in stage 1"


def test_what_cannot_be_a_hint_is_said(digits: Dataset, small: Graph, teacher: Graph) -> None:
    recipe = replace(QUICK, hint=1.0)
    with pytest.raises(UsageError, match="give the teacher"):
        train(small, digits, recipe)
    with pytest.raises(UsageError, match="no hidden tensor 'nothing'"):
        train(small, digits, recipe, teacher=teacher, hints=[("nothing", "nothing")])
    with pytest.raises(UsageError, match="hint=0"):
        train(small, digits, QUICK, teacher=teacher, hints=[("a", "b")])
