"""A curve of RAM against instructions holds plans that can be had and that no other one beats."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from random_graphs import random_graph

import netsuke
from netsuke.devices import device
from netsuke.errors import DoesNotFitError
from netsuke.schedule import plan
from netsuke.schedule.curve import curve

BOARD = device("nucleo-f446re")


@pytest.mark.parametrize("seed", [8, 13, 14, 15, 21, 24])
def test_no_point_of_a_curve_beats_another(seed: int) -> None:
    points = curve(random_graph(seed, True), BOARD, points=4)
    for low, high in itertools.pairwise(points):
        assert low.arena < high.arena
        assert low.instructions > high.instructions


@pytest.mark.parametrize("seed", [15, 21])
def test_every_point_can_be_compiled_and_nothing_smaller_than_the_first(seed: int) -> None:
    graph = random_graph(seed, True)
    points = curve(graph, BOARD, points=4)
    for point in points:
        assert plan(graph, BOARD, ram=point.arena).arena <= point.arena
    with pytest.raises(DoesNotFitError, match=f"needs {points[0].arena:,} B"):
        plan(graph, BOARD, ram=points[0].arena - 4).require_fit(BOARD, points[0].arena - 4)


def test_streaming_takes_part(real_data: Path) -> None:
    graph = netsuke.load(real_data / "mlperf_tiny" / "kws_ref_model.tflite")
    points = curve(graph, BOARD, points=3)
    assert points[0].arena < 9_000
    assert points[-1].instructions < 3_300_000


def test_check_takes_a_limit_of_ram() -> None:
    roomy = netsuke.check("lenet", "nucleo-f446re")
    tight = netsuke.check("lenet", "nucleo-f446re", ram=1000)
    assert roomy.fits
    assert not tight.fits
    assert tight.ram_available == 1000
    assert 1000 < tight.ram <= roomy.ram
