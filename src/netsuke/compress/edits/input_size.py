"""Another resolution of the input image."""

from __future__ import annotations

import re
from collections.abc import Sequence

from netsuke.compress.edits.edit import Edit, Kind
from netsuke.compress.edits.reflow import reflow
from netsuke.errors import GraphError
from netsuke.ir import Graph

RATIOS = (3 / 4, 1 / 2, 3 / 8, 1 / 4)
"""Sides that are offered, as parts of the original's."""
STEPS = (1, 2, 4, 8, 16, 32)
"""Where a side does not work, the nearest multiple of one of these may."""
SMALLEST = 8
"""Pixels of the shorter side that are offered at least."""


def image_input(graph: Graph) -> str | None:
    """The input ``(h, w, c)`` of a graph that has this one input, or None."""
    if len(graph.inputs) != 1:
        return None
    tensor = graph.tensors[graph.inputs[0]]
    is_image = len(tensor.shape) == 3 and tensor.dtype == "float32" and tensor.quant is None
    return tensor.name if is_image else None


def size_of(edit: Edit) -> tuple[int, int]:
    """(height, width) that an edit asks for.

    Raises
    ------
    GraphError
        When its value is no ``"HxW"``.
    """
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", str(edit.value))
    if found is None or not all(int(side) for side in found.groups()):
        raise GraphError(edit.place, f"input_size takes height x width as '48x48', not {edit}")
    return int(found[1]), int(found[2])


def _offers(graph: Graph) -> tuple[Edit, ...]:
    name = image_input(graph)
    if name is None:
        return ()
    height, width, channels = graph.tensors[name].shape
    found: dict[Edit, None] = {}
    for ratio in RATIOS:
        for step in STEPS:
            sides = [round(ratio * side / step) * step for side in (height, width)]
            if _is_near(sides, ratio, (height, width)) and _works(graph, name, (*sides, channels)):
                found[Edit("input_size", name, f"{sides[0]}x{sides[1]}")] = None
                break
    return tuple(found)


def _is_near(sides: Sequence[int], ratio: float, whole: Sequence[int]) -> bool:
    """Whether sides are large enough, and hardly another part of the whole than was meant."""
    pairs = list(zip(sides, whole, strict=True))
    if min(sides) < SMALLEST or any(side >= old for side, old in pairs):
        return False
    return all(abs(side - ratio * old) <= 0.15 * ratio * old for side, old in pairs)


def _works(graph: Graph, name: str, shape: tuple[int, ...]) -> bool:
    try:
        reflow(graph, {name: shape}, {}, values=False)
    except GraphError:
        return False
    return True


def _apply(graph: Graph, edits: Sequence[Edit], origin: Graph) -> Graph:
    for edit in edits:
        name = image_input(graph)
        if name is None or name != edit.place:
            raise GraphError(edit.place, "is no one input (h, w, c) of real numbers to resize")
        size = size_of(edit)
        if max(size) > 2 * max(graph.tensors[name].shape[:2]):
            raise GraphError(edit.place, f"{edit.value} is more than twice as large as it was")
        graph = reflow(graph, {name: (*size, graph.tensors[name].shape[2])}, {})
    return graph


INPUT_SIZE = Kind("input_size", _offers, _apply)
