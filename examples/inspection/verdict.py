"""From a frame to a verdict: what it means in NumPy, and the C in `firmware/` made for it.

A frame is looked at in square windows. Each is shrunk to the network's input, turned into its
integers by tables, and scored: score of "defect" minus score of "no defect". The frame has a defect
when the highest score of its windows reaches the threshold. All of it is integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import jinja2
import numpy as np
import numpy.typing as npt
from camera import Pixels, Words, unpack_rgb565

from netsuke.data import Normalisation
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, interpret_batch

FIRMWARE = Path(__file__).parent / "firmware"
FRAME = "model_arena_frame"
"""The symbol of the frame buffer."""
ENTRIES = ("inspect_frame", "inspect_verdict", "inspect_load")

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """Everything that decides a verdict, besides the network.

    Attributes
    ----------
    height, width
        Pixels of a frame.
    side
        Pixels of the network's square input.
    shrink
        Pixels of a frame, down and across, whose mean is one of the input.
    channels_first
        Whether the input is ``(3, side, side)`` instead of ``(side, side, 3)``.
    places
        (top, left) of each window in the frame.
    levels
        ``(3, 256)``: the input's integer for each level of red, green and blue.
    threshold
        A frame whose score is at least this has a defect.
    """

    height: int
    width: int
    side: int
    shrink: int
    channels_first: bool
    places: tuple[tuple[int, int], ...]
    levels: Array
    threshold: int = 0

    def windows(self, frames: Words) -> Array:
        """The network's inputs for frames ``(n, height, width)``: ``(n, windows, …)``."""
        span = self.side * self.shrink
        cut = np.stack(
            [frames[:, top : top + span, left : left + span] for top, left in self.places], axis=1
        )
        inputs = self.levels[np.arange(3), shrunk(unpack_rgb565(cut), self.shrink)]
        return np.moveaxis(inputs, -1, 2) if self.channels_first else inputs

    def scores(self, graph: Graph, frames: Words) -> Integers:
        """The score of each frame, by the network's meaning in NumPy."""
        windows = self.windows(frames)
        flat = np.ascontiguousarray(windows.reshape(-1, *windows.shape[2:]))
        outputs = interpret_batch(graph, flat)[0].reshape(len(frames), len(self.places), 2)
        scores = outputs.astype(np.int64)
        highest: Integers = (scores[..., 1] - scores[..., 0]).max(axis=1)
        return highest

    def verdicts(self, scores: Integers) -> npt.NDArray[np.bool_]:
        """Whether frames with these scores have a defect."""
        return scores >= self.threshold


def shrunk(colours: Pixels, shrink: int) -> Pixels:
    """Rounded means of squares of ``(…, height, width, 3)``: ``(…, height/s, width/s, 3)``."""
    *outer, height, width, _ = colours.shape
    split = colours.reshape(*outer, height // shrink, shrink, width // shrink, shrink, 3)
    area = shrink**2
    sums = split.sum(axis=(-4, -2), dtype=np.uint32)
    return ((sums + area // 2) // area).astype(np.uint8)


def inspection_for(
    graph: Graph,
    normalisation: Normalisation,
    frame: tuple[int, int],
    windows: tuple[int, int],
    shrink: int,
) -> Inspection:
    """How frames of a size are inspected by a network of two classes, the second being "defect".

    Parameters
    ----------
    graph
        With an integer input of three channels, ``(side, side, 3)`` or ``(3, side, side)``.
    normalisation
        From the bytes of its training data to its real input.
    frame
        (height, width) of the camera.
    windows
        How many, down and across; they lie evenly from edge to edge.
    shrink
        See `Inspection`.

    Raises
    ------
    UsageError
        When the network is another one, or its windows do not cover the frame.
    """
    given = graph.tensors[graph.inputs[0]]
    scores = graph.tensors[graph.outputs[0]]
    if given.quant is None or scores.quant is None or given.dtype not in ("int8", "uint8"):
        raise UsageError(f"{graph.name} does not take and give integers; quantize it first")
    if scores.elements != 2 or scores.dtype not in ("int8", "uint8", "int16"):
        raise UsageError(f"{graph.name} has {scores.elements} scores; inspection takes two")
    side = side_of(graph)
    levels = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    real = np.broadcast_to(normalisation.apply(levels), (256, 3))
    tops, lefts = starts_of(frame, windows, side * shrink)
    return Inspection(
        height=frame[0],
        width=frame[1],
        side=side,
        shrink=shrink,
        channels_first=given.shape != (side, side, 3),
        places=tuple((top, left) for top in tops for left in lefts),
        levels=np.ascontiguousarray(given.quant.quantize(real).T),
    )


def side_of(graph: Graph) -> int:
    """Pixels of the sides of a network's square input.

    Raises
    ------
    UsageError
        When it is no square of three channels.
    """
    shape = graph.tensors[graph.inputs[0]].shape
    side = shape[1] if len(shape) == 3 else 0
    if shape not in ((side, side, 3), (3, side, side)):
        raise UsageError(f"{graph.name} takes {list(shape)}, not a square of three channels")
    return side


def starts_of(frame: tuple[int, int], windows: tuple[int, int], span: int) -> list[list[int]]:
    """First rows and first columns of windows of a span that lie evenly and leave no gap."""
    found = []
    for extent, count in zip(frame, windows, strict=True):
        covered = span == extent if count == 1 else span <= extent <= span * count
        if count < 1 or not covered:
            raise UsageError(
                f"{count} window(s) of {span} pixels do not cover {extent}; try --windows, --shrink"
            )
        steps = max(count - 1, 1)
        found.append([(extent - span) * step // steps for step in range(count)])
    return found


def sources(inspection: Inspection) -> dict[PurePosixPath, bytes]:
    """The C around the network: ``inspect.c``, ``inspect.h`` and ``inspect_config.h``."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FIRMWARE),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    area = inspection.side**2
    config = environment.get_template("inspect_config.h.j2").render(
        height=inspection.height,
        width=inspection.width,
        side=inspection.side,
        shrink=inspection.shrink,
        next_pixel=1 if inspection.channels_first else 3,
        next_channel=area if inspection.channels_first else 1,
        threshold=inspection.threshold,
        corners=[top * inspection.width + left for top, left in inspection.places],
        levels=inspection.levels.tolist(),
    )
    plain: Sequence[str] = ("inspect.c", "inspect.h")
    files = {PurePosixPath(name): (FIRMWARE / name).read_bytes() for name in plain}
    return {**files, PurePosixPath("inspect_config.h"): config.encode()}
