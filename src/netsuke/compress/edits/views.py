"""What edits ask of the data and of the camera."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netsuke.compress.edits.edit import Edit, ordered
from netsuke.compress.edits.input_colour import GREY
from netsuke.compress.edits.input_size import size_of
from netsuke.data import Dataset
from netsuke.data.view import LUMA, grey, resized


def view(data: Dataset, chosen: Iterable[Edit]) -> Dataset:
    """The data set as an edited network takes it; the same one when no edit touches the input.

    Raises
    ------
    DataError
        When the samples are no images, or have no colours.
    UsageError
        When two edits exclude each other.
    """
    asked = {edit.kind: edit for edit in ordered(chosen)}
    if "input_colour" in asked:
        data = grey(data)
    if "input_size" in asked:
        data = resized(data, size_of(asked["input_size"]))
    return data


def frame(chosen: Iterable[Edit]) -> dict[str, Any]:
    """What a device must do to its camera's frame, for a manifest; empty for nothing.

    ``steps`` are in order, each in integers with round half up as `netsuke.data.view` defines it:
    ``grey`` by weights in thousandths, ``resize`` by the mean of the area that a pixel covers.
    """
    asked = {edit.kind: edit for edit in ordered(chosen)}
    steps: list[dict[str, Any]] = []
    if "input_colour" in asked:
        steps.append({"step": GREY, "thousandths": list(LUMA), "rounding": "half up"})
    if "input_size" in asked:
        height, width = size_of(asked["input_size"])
        size = {"height": height, "width": width}
        steps.append({"step": "resize", **size, "method": "area mean", "rounding": "half up"})
    return {"steps": steps} if steps else {}
