"""A slice of `bench/kernels_random.py`: every kernel of some cores on random shapes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kernel_jobs import check
from kernel_machines import EmulatedBoard, EmulatedCore, SanitizedHost
from random_nodes import KINDS, jobs_of, kernels_of, random_node

from netsuke.verify.toolchain import sanitizing_compiler

ISA = {
    "cortex-m0plus": frozenset({"thumb"}),
    "cortex-m4": frozenset({"thumb2", "dsp", "fpu-sp"}),
    "cortex-m55": frozenset({"thumb2", "dsp", "mve", "fpu-dp"}),
}


def machine(core: str) -> Any:
    """What runs a core's kernels; skips with the name of a missing tool."""
    if core == "host":
        if sanitizing_compiler() is None:
            pytest.skip("left out: no compiler with sanitizers")
        return SanitizedHost()
    if core == "cortex-m55":
        if shutil.which("qemu-system-arm") is None:
            pytest.skip("left out: no qemu-system-arm")
        return EmulatedBoard(core, ISA[core])
    return EmulatedCore(core, ISA[core])


@pytest.mark.parametrize("core", ["host", "cortex-m4", "cortex-m0plus", "cortex-m55"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kernel_gives_the_meaning_and_touches_only_what_is_its_own(
    kind: str, core: str
) -> None:
    runner = machine(core)
    isa = ISA.get(core, ISA["cortex-m4"])
    jobs = [
        job
        for seed in range(30)
        for job in jobs_of(random_node(kind, seed), isa, runner.pointer, f"seed {seed}")
    ]
    check(jobs, runner.run(jobs))
    assert len({job.function for job in jobs}) >= 1 + (kind in ("conv2d", "dense"))


@pytest.mark.parametrize("core", ["host", "cortex-m4", "cortex-m55"])
def test_a_kernel_that_writes_beyond_its_scratch_is_found(core: str) -> None:
    runner = machine(core)
    node = random_node("conv2d", 3)
    jobs = jobs_of(node, ISA.get(core, ISA["cortex-m4"]), runner.pointer, "short")
    hungry = next(job for job in jobs if job.function == "nsk_conv2d_s8_strip")
    hungry.blocks[-1].data = hungry.blocks[-1].data[:8]
    with pytest.raises(AssertionError, match=r"canary|fence|AddressSanitizer"):
        check([hungry], runner.run([hungry]))


def test_a_wrong_output_is_found() -> None:
    node = random_node("add", 0)
    wrong = replace(node, meaning=tuple(array ^ np.int8(1) for array in node.meaning))
    runner = machine("cortex-m4")
    jobs = jobs_of(wrong, ISA["cortex-m4"], runner.pointer, "wrong")
    with pytest.raises(AssertionError, match="differs at"):
        check(jobs, runner.run(jobs))


def test_random_nodes_reach_every_integer_kernel_of_a_cortex_m4() -> None:
    reached = {
        kernel.function
        for kind in KINDS
        for seed in range(120)
        for kernel in kernels_of(random_node(kind, seed), ISA["cortex-m4"])
    }
    assert {name for name in reached if "dsp" in name} >= {
        "nsk_add_s8_dsp",
        "nsk_average_pool2d_s8_dsp",
        "nsk_conv2d_s8_dsp",
        "nsk_conv2d_s8_dsp_any",
        "nsk_conv2d_s8_dsp_small",
        "nsk_conv2d_s8_dsp_winograd2",
        "nsk_conv2d_s8_dsp_winograd4",
        "nsk_dense_s8_dsp",
        "nsk_depthwise_conv2d_s8_dsp",
        "nsk_depthwise_conv2d_s8_dsp_any",
        "nsk_depthwise_conv2d_s8_dsp_bands",
        "nsk_max_pool2d_s8_dsp",
        "nsk_transposed_conv2d_s8_dsp",
    }
