"""Damaged TensorFlow Lite files: an answer or one clear error, quickly, and little memory."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from mutations import contradict, describing, mutant
from tflite_bombs import BOMBS
from tflite_cases import CASES

from netsuke.errors import ModelError, NetsukeError, UnsupportedOperatorError
from netsuke.frontend.tflite import parse_tflite

MUTANTS = 3000
CONTRADICTIONS = 600
SLOWEST = 3.0  # seconds for one file, on a busy machine
SMALL = ("CONV_2D-int8-same", "FULLY_CONNECTED-float32-rows", "STRIDED_SLICE-int8",
         "CONCATENATION-uint8-scales", "TRANSPOSE_CONV-int8-same", "SPLIT_V-int8", "PADV2-int8",
         "UNIDIRECTIONAL_SEQUENCE_LSTM-float32", "BATCH_MATMUL-int8", "MAX_POOL_2D-int8-same",
         "GATHER-int8", "RESIZE_BILINEAR-int8-False-True", "MEAN-int8-same",
         "RESHAPE-int8-merged", "PACK-float32")  # fmt: skip
"""Cases that are fuzzed beside the real files."""


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    """Small models of the tests and, where they are, the five real integer models."""
    folder = Path(__file__).parents[3] / "shared" / "data"
    real = [*folder.glob("mlperf_tiny/*quant*.tflite"), *folder.glob("mlperf_tiny/*int8*.tflite"),
            *folder.glob("mlperf_tiny/kws_ref_model.tflite"),
            *folder.glob("tflite_micro/*.tflite")]  # fmt: skip
    return [CASES[name]() for name in SMALL] + [path.read_bytes() for path in sorted(set(real))]


def test_damaged_files_give_a_graph_or_one_clear_error(originals: list[bytes]) -> None:
    places = [describing(data) for data in originals]
    outcomes: Counter[str] = Counter()
    for number in range(MUTANTS):
        _, data = mutant(1, number, originals, places)
        start = time.perf_counter()
        try:
            parse_tflite(data, place="damaged.tflite")
            outcomes["graph"] += 1
        except (ModelError, UnsupportedOperatorError) as error:
            outcomes[type(error).__name__] += 1
            assert str(error).startswith("damaged.tflite"), (number, str(error))
        except NetsukeError as error:
            pytest.fail(f"mutant {number}: {type(error).__name__} {error}")
        assert time.perf_counter() - start < SLOWEST, number
    assert outcomes["ModelError"] > MUTANTS / 4, outcomes
    assert outcomes["graph"] > MUTANTS / 50, outcomes
    assert outcomes["UnsupportedOperatorError"] > 0, outcomes


def test_files_that_contradict_themselves_give_a_graph_or_one_clear_error() -> None:
    names = list(CASES)
    outcomes: Counter[str] = Counter()
    for number in range(CONTRADICTIONS):
        rng = random.Random(number)
        try:
            data = contradict(rng, CASES[names[rng.randrange(len(names))]]())
        except (TypeError, ValueError, IndexError):
            continue  # the schema's own writer refuses such a number
        try:
            parse_tflite(data, place="damaged.tflite")
            outcomes["graph"] += 1
        except (ModelError, UnsupportedOperatorError) as error:
            outcomes[type(error).__name__] += 1
    assert min(outcomes.values()) > CONTRADICTIONS / 20, outcomes
    assert len(outcomes) == 3


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_is_refused_in_little_memory(name: str) -> None:
    import tracemalloc

    data = BOMBS[name]()
    tracemalloc.start()
    try:
        with pytest.raises(NetsukeError) as caught:
            parse_tflite(data, place="hostile.tflite")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(caught.value, ModelError | UnsupportedOperatorError), caught.value
    assert peak < 200 * len(data) + (16 << 20), f"{peak:,} bytes for a file of {len(data):,}"
