"""Trees, random features and distances on an emulated ATmega328P give the same bits as Python."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from random_trees import grown, weights
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.errors import MissingToolError
from netsuke.estimators import (
    FastfoodFeatures,
    HoeffdingTreeClassifier,
    RefinedForestClassifier,
    SoftDecisionTreeClassifier,
)
from netsuke.estimators.convert import Features, to_graph
from netsuke.estimators.convert.trees import tree_graph
from netsuke.estimators.rows import run_rows
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.forest import Forest
from netsuke.ops.forest.encode import BOTH, LEFT, LONG, RIGHT
from netsuke.verify.simavr import SimavrModel, rig

UNO = nk.device("arduino-uno")


def _missing() -> str:
    if shutil.which("avr-gcc") is None:
        return "avr-gcc"
    try:
        rig()
    except MissingToolError as error:
        return error.tool
    return ""


pytestmark = pytest.mark.skipif(bool(_missing()), reason=f"{_missing()} is missing: no AVR is run")


def digits() -> tuple[Array, Array, Array, Array]:
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    return a, b, c, d


def stored(graph: Graph, rows: Array) -> Array:
    x = graph.tensors[graph.inputs[0]]
    assert x.quant is not None
    return np.stack([x.quant.quantize(row) for row in np.asarray(rows, np.float32)]).astype(x.dtype)


def emulated(graph: Graph, x: Array) -> SimavrModel:
    """Run rows and check that every one is equal."""
    model = SimavrModel(compile_graph(graph, UNO))
    (got,) = model.run(x)
    np.testing.assert_array_equal(got, run_rows(graph, x))
    return model


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16"])
@pytest.mark.parametrize("form", ["votes", "sparse", "dense", "wide"])
@pytest.mark.parametrize("mode", ["class", "scores"])
def test_random_forests_of_every_form_are_equal(dtype: str, form: str, mode: str) -> None:
    rng = np.random.default_rng(7)
    feature, threshold, children, roots, leaves = grown(rng, dtype, 9, 4, 90)
    table = weights(rng, form, leaves, 12)
    builder = GraphBuilder("random")
    scheme = "unsigned" if dtype == "uint8" else "affine"
    x = builder.input("x", (9,), dtype, Quant((1.0,), scheme=scheme))
    arrays = (feature, threshold, children, roots, table, np.zeros(12, np.int16))
    names = [builder.constant(f"c{i}", array) for i, array in enumerate(arrays)]
    graph = builder.build([builder.one(Forest(mode), x, *names)])
    info = np.iinfo(dtype)
    emulated(graph, rng.integers(info.min, info.max, (40, 9), dtype, endpoint=True))
    (kernel,) = graph.nodes[0].op.kernels(
        graph.in_of(graph.nodes[0]), graph.out_of(graph.nodes[0]), frozenset()
    )
    if (dtype, form) == ("uint8", "sparse"):  # the assembly meets every code that there is
        codes = set(np.asarray(kernel.parameters["nodes"]).tolist())
        assert {LONG, RIGHT, LEFT, BOTH} <= codes


def test_fifty_trees_of_depth_eight_fit_an_uno() -> None:
    a, b, c, d = digits()
    forest = RandomForestClassifier(50, max_depth=8, random_state=0).fit(a, c)
    graph = tree_graph(forest, Features(np.zeros(64), np.ones(64), samples=a), vote="hard")
    model = emulated(graph, b.astype(np.uint8))
    decided = run_rows(graph, b.astype(np.uint8)).ravel()
    sizes = model.image.sizes
    assert abs((decided == d).mean() - forest.score(b, d)) <= 0.002, "as soft voting"
    assert sizes.text + sizes.library + sizes.rodata <= 16 << 10
    assert sum(arena.size for arena in model.image.arenas) + sizes.data + sizes.bss <= 80
    assert np.mean(model.cycles) <= 8000


@pytest.mark.parametrize("vote", ["hard", "soft"])
def test_where_flash_allows_a_forest_runs_as_instructions(vote: str) -> None:
    a, b, c, _ = digits()
    forest = RandomForestClassifier(10, max_depth=8, random_state=0).fit(a, c)
    graph = tree_graph(forest, Features(np.zeros(64), np.ones(64), samples=a), vote=vote)
    tables = emulated(graph, b.astype(np.uint8))
    fast = compile_graph(graph, UNO, flash=32256)
    step = fast.plan.steps[0].kernel
    assert step is not None and step.function == "nsk_forest_u8_class_avr"
    model = SimavrModel(fast)
    (got,) = model.run(b.astype(np.uint8))
    np.testing.assert_array_equal(got, run_rows(graph, b.astype(np.uint8)))
    assert np.mean(model.cycles) < 0.62 * np.mean(tables.cycles)


def test_random_trees_as_instructions_are_equal() -> None:
    rng = np.random.default_rng(5)
    feature, threshold, children, roots, _ = grown(rng, "uint8", 64, 6, 180)
    threshold[::9] = 255  # such a split has nothing on its right
    children = np.where(children < 0, -1 - (-1 - children) % 11, children)
    builder = GraphBuilder("random")
    x = builder.input("x", (64,), "uint8", Quant((1.0,), scheme="unsigned"))
    table = np.eye(11, dtype=np.int16) * 3
    arrays = (feature, threshold, children.astype(np.int32), roots, table, np.arange(11))
    names = [
        builder.constant(f"c{i}", np.asarray(a, a.dtype if i < 5 else np.int16))
        for i, a in enumerate(arrays)
    ]
    graph = builder.build([builder.one(Forest("scores"), x, *names)])
    artifact = compile_graph(graph, UNO, flash=32256)
    step = artifact.plan.steps[0].kernel
    assert step is not None and step.function == "nsk_forest_u8_avr"
    rows = rng.integers(0, 256, (60, 64), np.uint8)
    (got,) = SimavrModel(artifact).run(rows)
    np.testing.assert_array_equal(got, run_rows(graph, rows))


def test_a_refined_forest_is_small_and_right() -> None:
    a, b, c, d = digits()
    start = ExtraTreesClassifier(20, max_depth=8)
    model = RefinedForestClassifier(start, max_bytes=5200, step=0.4, C=0.1, random_state=0)
    graph = model.fit(a, c).to_graph()
    run = emulated(graph, b.astype(np.uint8))
    sizes = run.image.sizes
    assert sizes.text + sizes.library + sizes.rodata <= 6000
    assert (run_rows(graph, b.astype(np.uint8)).ravel() == d).mean() >= 0.96


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(6, max_depth=6, random_state=0),
        SoftDecisionTreeClassifier(4, n_init=1, max_iter=20, random_state=0),
        HoeffdingTreeClassifier(8),
        FastfoodFeatures(gamma=0.0005, n_components=70, random_state=0),
        SVC(C=5.0),
        KNeighborsClassifier(3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_estimators_are_equal_row_by_row(model: object) -> None:
    a, b, c, _ = digits()
    keep = slice(0, 120) if isinstance(model, SVC | KNeighborsClassifier) else slice(None)
    graph = to_graph(model.fit(a[keep], c[keep]), a[keep])  # type: ignore[attr-defined]
    emulated(graph, stored(graph, b[:25]))


def test_the_leaves_on_the_way_can_be_told_by_the_device() -> None:
    a, b, c, _ = digits()
    forest = RandomForestClassifier(5, max_depth=5, random_state=0).fit(a, c)
    features = Features(np.zeros(64), np.ones(64), samples=a)
    emulated(tree_graph(forest, features, mode="leaves"), b[:25].astype(np.uint8))
    soft = SoftDecisionTreeClassifier(3, n_init=1, max_iter=20, random_state=0).fit(a, c)
    emulated(soft.to_graph("leaf"), stored(soft.to_graph("leaf"), b[:25]))
