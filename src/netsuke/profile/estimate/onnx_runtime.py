"""ONNX Runtime: weights held once, and an arena that keeps what it has grown to.

This machine is made to run the graph that 64-bit Arm runs: without its own blocked layout of
weights, and with signed integers wherever the model has them (else this runtime computes most of an
int8 network in float on x86). So loading costs the same, and is measured here. The arena is
replayed: its regions do not depend on the processor, but how much of them is resident does, by the
size of pages.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from netsuke.profile.estimate.account import Account, Moment, in_huge_pages
from netsuke.profile.estimate.arena import HUGE_PAGE, SMALL_PAGE, Arena
from netsuke.profile.estimate.calibration import Stages, measure
from netsuke.profile.estimate.heap import Event, Heap
from netsuke.profile.estimate.ort_plan import Plan, make_plan, replay, what_ran
from netsuke.profile.estimate.result import Part

AS_ON_ARM: dict[str, Any] = {
    "level": "ALL",
    "without": ["NchwcTransformer", "ConvAddActivationFusion"],
    "settings": {"session.qdqisint8allowed": "1"},
}
"""Switches under which this machine's runtime makes the graph that it makes on 64-bit Arm."""
SHIFTS = tuple(HUGE_PAGE * eighth // 8 for eighth in range(8))
"""Where the arena may lie within a huge page."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model as ONNX Runtime ran it here.

    Attributes
    ----------
    stages
        Of a run on this machine.
    plan
        Its buffers.
    weights, largest
        Bytes of all constants; of the largest one.
    inputs
        Bytes of the arrays that the caller holds.
    """

    stages: Stages
    plan: Plan
    weights: int
    largest: int
    inputs: int


def load(path: Path, shapes: Sequence[Sequence[int]], threads: int) -> Loaded:
    """Run a model twice on this machine: once for its memory, once for what ran."""
    stages = measure("onnxruntime", path, shapes, threads=threads, **AS_ON_ARM)
    with tempfile.TemporaryDirectory(prefix="netsuke-estimate-") as folder:
        measure(*("onnxruntime", path, shapes), runs=1, threads=threads, folder=folder, **AS_ON_ARM)
        model, sizes = what_ran(Path(folder))
    constants = [_bytes(tensor) for tensor in model.graph.initializer]
    inputs = _inputs(model, shapes)
    images = shapes[0][0] if shapes and shapes[0] else 1
    plan = make_plan(model, sizes, images, threads)
    return Loaded(stages, plan, sum(constants), max(constants, default=0), inputs)


def _bytes(tensor: Any) -> int:
    from onnx import helper

    count = 1
    for extent in tensor.dims:
        count *= extent
    return count * int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def _inputs(model: Any, shapes: Sequence[Sequence[int]]) -> int:
    from onnx import helper

    total = 0
    for port, shape in zip(model.graph.input, shapes, strict=False):
        item = helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type).itemsize
        count = int(item)
        for extent in shape:
            count *= extent
        total += count
    return total


def account(loaded: Loaded, huge: bool, *, arena: bool = True, runs: int = 2) -> Account:
    """Moments of a process on the target.

    Parameters
    ----------
    loaded
        The model.
    huge
        Whether the target hands out huge pages.
    arena
        False: the session was made without its memory arena.
    """
    stages = loaded.stages
    base = stages.rss["import"]
    loading = stages.rss["load"] - base
    copy = max(stages.hwm["load"] - stages.rss["load"], loaded.largest)
    inputs = in_huge_pages(loaded.inputs, huge)
    used, slack = _run(loaded.plan, huge, arena, runs)
    running = loading + inputs + used
    moments = (Moment("load", loading + copy, "load"), Moment("runs", running, "run"))
    weights = min(loaded.weights, loading)
    parts = [Part("weights", weights, "int8 weights (netsuke quantize)", weights * 3 // 4)]
    if running >= loading + copy:
        parts += [
            _arena_part(loaded.plan, huge, arena, used, runs),
            Part("input arrays", inputs, "smaller batch", inputs // 2),
        ]
    else:
        parts.append(Part("a second copy of the largest weights while loading", copy))
    return Account(moments, tuple(parts), slack)


def _run(plan: Plan, huge: bool, arena: bool, runs: int) -> tuple[int, int]:
    """(bytes that runs keep resident, bytes that the placing of pages may add)."""
    if not arena:
        return _without_arena(plan, runs), HUGE_PAGE if huge else 0
    grown = replay(plan, runs)
    if not huge:
        return grown.resident(), 0
    return _mean(grown), _most(grown) - _mean(grown)


def _mean(grown: Arena) -> int:
    return sum(grown.resident(HUGE_PAGE, shift) for shift in SHIFTS) // len(SHIFTS)


def _most(grown: Arena) -> int:
    return max(grown.resident(HUGE_PAGE, shift) for shift in SHIFTS)


def _without_arena(plan: Plan, runs: int) -> int:
    """The most that the C library's heap has, when every buffer is its business.

    What the first run freed stays in the heap, in pieces; the pattern's block is mapped beside it.
    """
    heap = Heap(SMALL_PAGE)
    keys: dict[str, int] = {}
    for name, size in plan.calls(False):
        heap.replay([Event(keys.setdefault(name, len(keys)), size)])
    return heap.peak + (plan.pattern() if runs > 1 else 0)


def _arena_part(plan: Plan, huge: bool, arena: bool, used: int, runs: int) -> Part:
    """Activations, with the switch that saves most."""
    if not arena:
        half, _ = _run(_halved(plan), huge, False, runs)
        return Part("activations", used, "half the batch", max(0, used - half))
    options = {
        "enable_cpu_mem_arena=False": _without_arena(plan, runs),
        "enable_mem_pattern=False": _pages(replay(plan, runs, pattern=False), huge),
        "half the batch": _pages(replay(_halved(plan), runs), huge),
    }
    switch = min(options, key=lambda name: options[name])
    return Part("activations in the memory arena", used, switch, max(0, used - options[switch]))


def _pages(grown: Arena, huge: bool) -> int:
    return _mean(grown) if huge else grown.resident()


def _halved(plan: Plan) -> Plan:
    return replace(plan, sizes={name: size // 2 for name, size in plan.sizes.items()})
