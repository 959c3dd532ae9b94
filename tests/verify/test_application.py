"""A person's own C around a model: called, counted, fenced and measured like the model."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pytest
from verified_models import artifact_of, integer_graph

from netsuke.errors import UsageError, VerificationError
from netsuke.verify.application import EmulatedApplication, HostApplication
from netsuke.verify.host import HostLibrary

CODE = b"""#include <stdint.h>
#include "model.h"
uint8_t model_arena_shelf[100];
int32_t counter = 7;
int32_t mixed(int32_t a, int32_t b, int32_t c, int32_t d);
int32_t mixed(int32_t a, int32_t b, int32_t c, int32_t d) { return a - 2 * b + 3 * c - 4 * d; }
int32_t next(int32_t step);
int32_t next(int32_t step) { counter += step + model_arena_shelf[99]; return counter; }
int32_t infer(void);
int32_t infer(void) { model_invoke(); return ((const int8_t *)model_output(0))[0]; }
int32_t spill(int32_t place);
int32_t spill(int32_t place) { ((volatile uint8_t *)model_arena_shelf)[place] = 1; return 0; }
"""
SOURCES = {PurePosixPath("application.c"): CODE}
ENTRIES = ("mixed", "next", "infer", "spill")


@pytest.fixture
def board() -> EmulatedApplication:
    return EmulatedApplication(artifact_of(integer_graph()), SOURCES, ENTRIES)


def test_calls_give_the_same_words_here_and_there(board: EmulatedApplication) -> None:
    host = HostApplication(artifact_of(integer_graph()), SOURCES)
    for place in (host, board):
        assert place.call("mixed", 1, -20, 300, -4000) == 1 + 40 + 900 + 16000
        assert place.call("mixed", -5, 0, 0, 0) == -5
        place.write("model_arena_shelf", bytes(100))
        assert place.call("next", -9) == -2
        place.write("model_arena_shelf", bytes(99) + b"\x05")
        assert place.call("next", 0) == 3
        assert place.read("model_arena_shelf", 100)[-2:] == b"\x00\x05"
        assert place.read("counter", 4) == (3).to_bytes(4, "little")
    sample = np.random.default_rng(0).integers(-128, 128, (1, 6, 6, 3)).astype(np.int8)
    (meant,) = HostLibrary(artifact_of(integer_graph())).run(sample)
    board.emulator.mem_write(board.call("model_input", 0) & 0xFFFFFFFF, sample.tobytes())
    assert board.call("infer") == meant.flat[0]
    assert board.instructions[0] > 20_000


def test_the_footprint_holds_the_shelf_the_variable_and_the_stack(
    board: EmulatedApplication,
) -> None:
    board.call("infer")
    found = board.footprint
    assert set(found.buffers) == {"model_arena", "model_arena_shelf"}
    assert found.buffers["model_arena_shelf"] >= 100 and found.variables == 4
    assert 16 <= found.stack < 2048
    assert found.ram == sum(found.buffers.values()) + 4 + found.stack
    assert found.flash > 1000


def test_a_write_behind_a_shelf_is_found(board: EmulatedApplication) -> None:
    board.call("spill", 99)
    with pytest.raises(VerificationError, match=r"not its own|canary"):
        board.call("spill", 112)
    with pytest.raises(VerificationError, match="canary before model_arena_shelf"):
        board.call("spill", -1)


def test_what_cannot_be_called_or_written_is_said(board: EmulatedApplication) -> None:
    host = HostApplication(artifact_of(integer_graph()), SOURCES)
    for place in (host, board):
        with pytest.raises(VerificationError, match="lacks the symbol 'nothing'"):
            place.call("nothing")
        with pytest.raises(UsageError, match="up to 4 words"):
            place.call("mixed", 1, 2, 3, 4, 5)
        with pytest.raises(UsageError, match="of 32 bits"):
            place.call("mixed", 1 << 31)
    with pytest.raises(UsageError, match="has 4 B, not 5 B"):
        board.write("counter", bytes(5))
    double = {PurePosixPath("model.c"): CODE}
    with pytest.raises(UsageError, match=r"model\.c is a file of the artifact"):
        HostApplication(artifact_of(integer_graph()), double)
    with pytest.raises(UsageError, match="emulated on a Cortex-M"):
        EmulatedApplication(artifact_of(integer_graph(), "rpi-4b"), SOURCES, ENTRIES)
