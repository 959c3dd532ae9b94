"""Arrays as the model file shows them become samples as the graph stores them, and back."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.errors import DataError
from netsuke.ir import Graph, GraphBuilder, Port, Quant
from netsuke.ops import Reshape
from netsuke.verify.ports import from_stored, to_stored


def passing(port: Port | None, dtype: str = "int8", quant: Quant | None = None) -> Graph:
    """A graph whose output is its input, (2, 3, 4) as stored, both shown as `port` says."""
    build = GraphBuilder("passing")
    x = build.input("x", (2, 3, 4), dtype, quant)
    y = build.one(Reshape((2, 3, 4)), x, name="y", quant=quant)
    if port:
        build.ports |= {"x": port, "y": port}
    return build.build([y])


QUANT = Quant((0.5,), (10,))
COUNT = np.arange(-24, 24).reshape(2, 2, 3, 4)
SHOWN = np.ascontiguousarray(COUNT.transpose(0, 3, 1, 2))  # channels first


def test_an_array_in_the_files_layout_is_turned_and_turned_back() -> None:
    graph = passing(Port((1, 2, 0), "int8"), quant=QUANT)
    (stored,), real = to_stored(graph, [SHOWN.astype(np.int8)])
    assert not real
    np.testing.assert_array_equal(stored, COUNT)
    np.testing.assert_array_equal(from_stored(graph, [stored], real)[0], SHOWN)


def test_an_array_in_the_graphs_layout_is_taken_as_it_is() -> None:
    graph = passing(Port((1, 2, 0), "int8"), quant=QUANT)
    np.testing.assert_array_equal(to_stored(graph, [COUNT.astype(np.int8)])[0][0], COUNT)


def test_uint8_is_shifted_by_128_both_ways() -> None:
    graph = passing(Port((0, 1, 2), "uint8"), quant=QUANT)
    shown = (COUNT + 100).astype(np.uint8)
    (stored,), real = to_stored(graph, [shown])
    np.testing.assert_array_equal(stored, COUNT - 28)
    (back,) = from_stored(graph, [stored], real)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, shown)


def test_reals_are_quantized_and_come_back_as_reals() -> None:
    graph = passing(Port((1, 2, 0), "float32"), quant=QUANT)
    reals = (SHOWN * 0.5).astype(np.float64)
    (stored,), real = to_stored(graph, [reals])
    assert real
    np.testing.assert_array_equal(stored, COUNT + 10)
    (back,) = from_stored(graph, [stored], real)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, reals)


def test_integers_for_a_model_that_shows_reals_stay_integers() -> None:
    graph = passing(Port((1, 2, 0), "float32"), quant=QUANT)
    (stored,), real = to_stored(graph, [SHOWN.astype(np.int8)])
    (back,) = from_stored(graph, [stored], real)
    assert back.dtype == np.int8


def test_reals_for_an_int8_model_give_its_integers() -> None:
    graph = passing(None, quant=QUANT)
    (stored,), real = to_stored(graph, [COUNT * 0.5])
    (back,) = from_stored(graph, [stored], real)
    assert back.dtype == np.int8


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 2, 3, 5), np.int8), r"takes \(n, 4, 2, 3\), not \(5, 2, 3, 5\)"),
        (np.zeros((4, 2, 3), np.int8), r"array\[None\]"),
        (np.int8(3), "takes"),
        (np.zeros((1, 2, 3, 4), "U3"), "no numbers"),
        (np.zeros((1, 2, 3, 4), bool), "takes int8, not bool"),
        (np.full((1, 2, 3, 4), 128), "holds 128 to 128"),
        (np.full((1, 2, 3, 4), np.nan), "NaN"),
        (np.zeros((0, 2, 3, 4), np.int8), "no sample"),
    ],
)
def test_a_wrong_array_is_refused_with_what_is_taken(array: np.ndarray, words: str) -> None:
    graph = passing(Port((1, 2, 0), "int8"), quant=QUANT)
    with pytest.raises(DataError, match=words):
        to_stored(graph, [array])


def test_reals_beyond_float32_are_clamped_without_a_warning(recwarn) -> None:
    graph = passing(None, quant=Quant((1e-3,), (0,)))
    huge = np.full((1, 2, 3, 4), 3e38, np.float32)
    (stored,), _ = to_stored(graph, [huge])
    assert (stored == 127).all() and not recwarn.list


def test_a_wrong_number_of_arrays_is_refused() -> None:
    with pytest.raises(DataError, match="1 input array"):
        to_stored(passing(None, quant=QUANT), [])
