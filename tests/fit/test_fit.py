"""The whole way: a model that does not fit becomes one that does, or a person learns why not."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netsuke.data import Dataset, load_data
from netsuke.data.stored import stored_inputs
from netsuke.devices import Device, Limits, device
from netsuke.errors import LimitsNotMetError, UsageError
from netsuke.fit import FitResult, channel_groups, cut, fit
from netsuke.fit.measure import ship
from netsuke.ir import Graph, interpret_batch, load_graph
from netsuke.models import build
from netsuke.ops import OPERATORS
from netsuke.train import Recipe, evaluate, train

KILLS = 3  # bench/fit/killed.py does ten
RECIPE = Recipe(threads=1, lr=3e-3)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits")


@pytest.fixture(scope="module")
def board() -> Device:
    return device("nucleo-f446re")


@pytest.fixture(scope="module")
def trained(digits: Dataset) -> Graph:
    return train(build("lenet?size=8"), digits, replace(RECIPE, epochs=10)).graph


@pytest.fixture(scope="module")
def weights_limit(trained: Graph, digits: Dataset, board: Device) -> int:
    """Flash that leaves a third of the weights beside the code."""
    groups = channel_groups(trained)
    whole, least = (
        ship(cut(trained, groups, kept), digits, board, 8)
        for kept in ([range(group.units) for group in groups], [(0,) for _ in groups])
    )
    code = max(each.sizes.flash - each.artifact.weights for each in (whole, least))
    return code + whole.artifact.weights // 3


@pytest.fixture(scope="module")
def result(trained: Graph, digits: Dataset, board: Device, weights_limit: int) -> FitResult:
    limits = Limits(flash=weights_limit, ram=900, max_drop=5.0)
    return fit(trained, digits, board, limits, epochs=16, recipe=RECIPE)


def test_a_network_shrinks_into_its_limits_and_still_knows_digits(
    result: FitResult, weights_limit: int
) -> None:
    assert result.met and not result.unmet
    assert result.sizes.flash <= weights_limit and result.sizes.ram <= 900
    assert result.artifact.plan.arena == result.sizes.ram
    assert result.metric > 92.0 and result.drop.points <= 5.0 < result.drop.bound + 5.0
    before, after = result.widths["dense10"]
    assert after < before and result.ratio > 1.0


def test_the_result_says_what_was_done(result: FitResult) -> None:
    record = json.loads(json.dumps(result.as_json()))
    keys = {"met", "flash", "ram", "instructions", "metric", "drop", "drop_bound"}
    assert keys <= record.keys() and record["met"] is True
    assert record["test_samples"] == 359
    assert len(record["attempts"]) == 4 and any(each["front"] for each in record["attempts"])
    assert all(after <= before for before, after in record["widths"].values())


def test_the_metric_is_that_of_the_integers(result: FitResult, digits: Dataset) -> None:
    part = digits.test.take(60)
    outputs = interpret_batch(result.quantized, stored_inputs(result.quantized, part.samples))[0]
    right = (outputs.reshape(60, -1).argmax(axis=1) == part.labels).mean()
    assert 100 * right == evaluate(result.quantized, digits, part).metric
    drop = evaluate(result.graph, digits, digits.test).metric - result.metric
    assert abs(drop) < 3.0


def test_the_same_seed_gives_the_same_network(
    trained: Graph, digits: Dataset, board: Device, weights_limit: int, result: FitResult
) -> None:
    limits = Limits(flash=weights_limit, ram=900, max_drop=5.0)
    again = fit(trained, digits, board, limits, epochs=16, recipe=RECIPE)
    assert again.quantized.fingerprint() == result.quantized.fingerprint()


def test_what_cannot_fit_names_the_least_and_the_node(
    trained: Graph, digits: Dataset, board: Device
) -> None:
    with pytest.raises(LimitsNotMetError) as caught:
        fit(trained, digits, board, Limits(ram=60), recipe=RECIPE)
    error = caught.value
    assert error.memory == "ram" and error.needed > error.available == 60
    assert error.culprit and str(error.needed) in str(error) and error.exit_code == 3
    with pytest.raises(LimitsNotMetError, match="flash: at least"):
        fit(trained, digits, board, Limits(flash=100), recipe=RECIPE)


def test_what_fits_already_is_only_quantized(
    trained: Graph, digits: Dataset, board: Device
) -> None:
    result = fit(trained, digits, board, Limits(flash=200_000), recipe=RECIPE)
    assert result.met and not result.attempts and "nothing was cut" in result.notes[0]
    assert all(before == after for before, after in result.widths.values())


def test_a_drop_alone_asks_for_the_smallest_network(
    trained: Graph, digits: Dataset, board: Device
) -> None:
    result = fit(trained, digits, board, Limits(max_drop=4.0), epochs=8, recipe=RECIPE)
    assert result.attempts and result.sizes.flash < 0.8 * result.original_sizes.flash


def test_without_labels_the_original_is_the_truth(
    trained: Graph, digits: Dataset, board: Device, weights_limit: int
) -> None:
    bare = replace(
        digits,
        task="unlabelled",
        classes=(),
        **{name: replace(part, targets=None) for name, part in digits.parts.items()},
    )
    result = fit(trained, bare, board, Limits(flash=weights_limit), epochs=8, recipe=RECIPE)
    assert result.met and result.original_metric == 100.0 and result.metric > 88.0


def test_an_untrained_network_of_the_zoo_is_trained_first(digits: Dataset, board: Device) -> None:
    result = fit(build("lenet?size=8&width=0.5"), digits, board, epochs=6, recipe=RECIPE)
    assert result.original_metric > 85.0


def test_a_network_of_the_zoo_may_take_the_place_of_the_original(
    trained: Graph, digits: Dataset, board: Device
) -> None:
    result = fit(
        trained,
        digits,
        board,
        Limits(ram=700),
        epochs=2,
        designs=4,
        families=["lenet?width=0.4"],
        recipe=RECIPE,
    )
    families = {attempt.design.family for attempt in result.attempts}
    assert families == {"", "lenet?width=0.4&classes=10&size=8x8&channels=1"}
    assert all(attempt.sizes.ram <= 700 for attempt in result.attempts)


def test_a_class_has_a_floor(trained: Graph, digits: Dataset, board: Device) -> None:
    limits = Limits(ram=900, floors={"8": 100.0, "3": 10.0})
    result = fit(trained, digits, board, limits, epochs=1, designs=1, recipe=RECIPE)
    change = {each.name: each for each in result.classes}
    assert change["3"].floor == 10.0 and change["4"].floor is None
    missed = change["8"].after < 100.0
    assert result.met is not missed
    assert any("class 8" in sentence for sentence in result.unmet) is missed
    with pytest.raises(UsageError, match="has no class 'x'"):
        fit(trained, digits, board, Limits(floors={"x": 1.0}), recipe=RECIPE)


def test_numbers_that_make_no_search_are_refused(
    trained: Graph, digits: Dataset, board: Device
) -> None:
    for options in ({"epochs": 0}, {"designs": 0}):
        with pytest.raises(UsageError, match="give a number"):
            fit(trained, digits, board, Limits(ram=900), recipe=RECIPE, **options)


def test_integers_and_strangers_are_refused(
    result: FitResult, digits: Dataset, board: Device
) -> None:
    with pytest.raises(UsageError, match="needs the float model"):
        fit(result.quantized, digits, board)
    with pytest.raises(UsageError, match="takes samples of"):
        fit(build("lenet"), digits, board)


SCRIPT = """
import sys
from netsuke.data import load_data
from netsuke.devices import Limits, device
from netsuke.fit import fit
from netsuke.models import build
from netsuke.train import Recipe
fit(build("lenet?size=8&width=0.5"), load_data("digits"), device("nucleo-f446re"),
    Limits(ram=400), epochs=4, designs=4, out=sys.argv[1], resume=True,
    recipe=Recipe(threads=1, lr=3e-3))
"""


def test_a_run_that_is_killed_ends_the_same(board: Device, tmp_path: Path) -> None:
    digits = load_data("digits")

    def run(out: Path, resume: bool) -> FitResult:
        graph, limits = build("lenet?size=8&width=0.5"), Limits(ram=400)
        options = {"epochs": 4, "designs": 4, "recipe": RECIPE}
        return fit(graph, digits, board, limits, out=out, resume=resume, **options)

    undisturbed = run(tmp_path / "calm", False)
    killed = tmp_path / "killed"
    rng = np.random.default_rng(7)
    kills = 0
    while kills < KILLS:
        before = len(list(killed.rglob("*"))) if killed.exists() else 0
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(killed)])
        # Wait for the first new file, so that the run gets on, then for a random moment.
        limit = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < limit:
            if killed.exists() and len(list(killed.rglob("*"))) > before:
                break
            time.sleep(0.005)
        time.sleep(float(rng.random()))
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
        kills += 1
    resumed = run(killed, True)
    assert resumed.quantized.fingerprint() == undisturbed.quantized.fingerprint()
    assert resumed.design == undisturbed.design
    assert [a.as_json() for a in resumed.attempts] == [a.as_json() for a in undisturbed.attempts]
    record = json.loads((killed / "result.json").read_text())
    assert record["ram"] <= 400 and (killed / "firmware" / "model.c").exists()
    graph = load_graph((killed / "small.nsk").read_bytes(), OPERATORS)
    assert graph.parameters == record["parameters"]
    assert np.isfinite(record["drop_bound"])
    assert kills == KILLS


def test_a_design_may_see_smaller_images(digits: Dataset, board: Device) -> None:
    data = load_data("digits?size=16")
    graph = train(build("lenet?size=16&width=0.5"), data, replace(RECIPE, epochs=2)).graph
    limits, recipe = Limits(ram=500), replace(RECIPE, augment="shift")
    result = fit(graph, data, board, limits, time=12.0, designs=3, recipe=recipe)
    shrunk = [a for a in result.attempts if a.design.inputs or a.design.edits]
    assert shrunk and result.sizes.ram <= 500
    if result.design.inputs:
        assert result.camera["steps"] and result.graph.tensors["input"].shape != (16, 16, 1)
