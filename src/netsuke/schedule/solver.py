"""Offsets of buffers by OR-Tools CP-SAT, for graphs beyond our own search (an optional extra)."""

from __future__ import annotations

from collections.abc import Sequence

from netsuke.errors import MissingToolError
from netsuke.schedule.buffer import ALIGNMENT, Buffer
from netsuke.schedule.offsets import Layout


def solve(buffers: Sequence[Buffer], start: Layout, seconds: float = 30.0) -> Layout:
    """Improve a layout, or prove that it is minimal.

    Each buffer is a rectangle, its life by its bytes, or several in turn that start at one offset;
    no two buffers may overlap, and the highest end is as low as possible.

    Parameters
    ----------
    buffers
        All buffers of one memory.
    start
        A valid layout, which bounds the result from above.
    seconds
        Time after which the best layout found so far is returned.

    Raises
    ------
    MissingToolError
        When OR-Tools is not installed.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise MissingToolError(
            "OR-Tools", "to prove large plans minimal", "pip install 'netsuke[solver]'"
        ) from None
    model = cp_model.CpModel()
    limit = start.size // ALIGNMENT
    height = model.new_int_var(start.lower_bound // ALIGNMENT, limit, "height")
    offsets, lives, spans = {}, [], []
    for index, buffer in enumerate(buffers):
        size = buffer.size // ALIGNMENT
        offset = model.new_int_var(0, limit - size, f"offset{index}")
        offsets[buffer.name] = offset
        model.add_hint(offset, start.offsets[buffer.name] // ALIGNMENT)
        model.add(offset + size <= height)
        for first, last, low, high in buffer.runs:
            name = f"{index} at {first}"
            bottom, bytes_ = offset + low // ALIGNMENT, (high - low) // ALIGNMENT
            lives.append(model.new_fixed_size_interval_var(first, last - first + 1, f"life{name}"))
            spans.append(model.new_fixed_size_interval_var(bottom, bytes_, f"span{name}"))
    model.add_no_overlap_2d(lives, spans)
    model.minimize(height)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return start
    found = {name: ALIGNMENT * solver.value(offset) for name, offset in offsets.items()}
    size = ALIGNMENT * solver.value(height)
    return Layout(found, size, start.lower_bound, status == cp_model.OPTIMAL)
