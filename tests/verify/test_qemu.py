"""Artifacts on boards that QEMU emulates, against Unicorn."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from verified_models import artifact_of, integer_graph, samples, with_invoke

from netsuke.errors import UsageError, VerificationError
from netsuke.ir import interpret_batch
from netsuke.verify.cores import core
from netsuke.verify.qemu import BOARDS, PROGRAM, QemuModel
from netsuke.verify.unicorn import UnicornModel

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason=f"left out: {PROGRAM} is not installed"
)


@pytest.mark.parametrize(
    "name", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"]
)
def test_qemu_counts_as_many_instructions_as_unicorn_to_one_tick(name: str) -> None:
    graph = integer_graph()
    artifact, arrays = artifact_of(graph), samples(graph, 3)
    qemu, emulated = QemuModel(artifact, core(name)), UnicornModel(artifact, core(name))
    np.testing.assert_array_equal(qemu.run(*arrays)[0], interpret_batch(graph, *arrays)[0])
    emulated.run(*arrays)
    tick = BOARDS[str(core(name).machine)].per_tick
    for mine, theirs in zip(emulated.instructions, qemu.instructions, strict=True):
        assert abs(mine - theirs) <= 2 * tick
    assert qemu.stack is not None
    assert abs(qemu.stack - emulated.stack) <= 32


def test_a_cortex_m55_runs() -> None:
    graph = integer_graph()
    arrays = samples(graph, 2)
    model = QemuModel(artifact_of(graph), core("cortex-m55"))
    np.testing.assert_array_equal(model.run(*arrays)[0], interpret_batch(graph, *arrays)[0])
    assert min(model.instructions) > 1000


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ("    ((volatile uint8_t *)model_arena)[-1] = 1;", "canary"),
        ("    *(volatile uint8_t *)0x50505050 = 1;", "faulted"),
    ],
)
def test_a_misstep_is_an_error(statements: str, words: str) -> None:
    bad = with_invoke(artifact_of(integer_graph()), statements)
    with pytest.raises(VerificationError, match=words):
        QemuModel(bad).run(*samples(integer_graph(), 1))


def test_a_wrong_array_is_refused() -> None:
    with pytest.raises(UsageError, match="takes int8"):
        QemuModel(artifact_of(integer_graph())).run(np.zeros((1, 2), np.int8))
