"""Inspect circuit boards on a microcontroller with 256 KB of RAM, from camera frame to verdict.

    python examples/inspection/inspection.py --data DeepPCB.zip --out out/inspection

Boards are cut into what a camera sees; a network learns them (or one is given); it becomes C with
the pre-processing and a threshold around it; and frames of sealed boards prove on an emulated
Cortex-M4 that the verdicts are those of Python, bit for bit, within the RAM. Without ``--data``
boards are drawn.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import crops
import numpy as np
import numpy.typing as npt
from boards import Board, read_boards
from camera import Words, unpack_rgb565
from PIL import Image, ImageOps
from synthetic import draw_boards
from verdict import (
    ENTRIES,
    FIRMWARE,
    FRAME,
    Inspection,
    inspection_for,
    shrunk,
    side_of,
    sources,
    starts_of,
)

import netsuke as nk
from netsuke.api import is_float
from netsuke.codegen import Artifact
from netsuke.codegen.onnx import to_onnx
from netsuke.data import Dataset, load_data
from netsuke.errors import NetsukeError, UsageError, VerificationError
from netsuke.files import write_whole
from netsuke.fit.threshold import OperatingPoint, operating_point, threshold_for_recall
from netsuke.ir import Graph
from netsuke.models.zoo import is_model_name
from netsuke.train import Recipe, train
from netsuke.verify.application import EmulatedApplication, Footprint, HostApplication
from netsuke.verify.project import open_project

MODEL = "mobilenet_v1?width=0.25&size=96&classes=2"


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """What the camera sees of one part's boards: RGB565 ``(n, height, width)``, and the truth."""

    words: Words
    defects: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What the emulated microcontroller did with some frames.

    Attributes
    ----------
    frames
        How many; all their scores and verdicts are those of NumPy and of the C on this machine.
    instructions
        Executed for the slowest frame.
    footprint
        Bytes that the linked application takes.
    verdicts
        Of the frames.
    """

    frames: int
    instructions: int
    footprint: Footprint
    verdicts: npt.NDArray[np.bool_]


def prepare_data(boards: Sequence[Board], side: int, shrink: int, seed: int, out: Path) -> Dataset:
    """Crops for training, in the size and with the levels that the firmware will make of them."""
    path = out / "crops.npz"
    arrays = crops.make_crops(boards, side * shrink, seed)
    for part in crops.PARTS:
        arrays[f"x_{part}"] = shrunk(arrays[f"x_{part}"], shrink)
    write_whole(path, lambda stream: np.savez(stream, **arrays))
    return load_data(path)


def prepare_model(model: str, data: Dataset, epochs: int, seed: int, out: Path) -> Graph:
    """An integer network: a file as it is, or one of the zoo after training (resumable)."""
    graph = nk.load(model, optimize=False)
    if is_model_name(model):
        recipe = Recipe(epochs=epochs, lr=3e-3, batch=32, seed=seed, threads=1)
        trained = train(graph, data, recipe, out=out / "training", resume=True)
        graph = trained.graph
        write_whole(out / "model.onnx", to_onnx(graph))
    graph = nk.load(graph)
    return nk.quantize(graph, data) if is_float(graph) else graph


def frames_of(boards: Sequence[Board], frame: tuple[int, int], most: int, seed: int) -> Frames:
    """Frames of boards with and without a defect, in turn.

    Raises
    ------
    UsageError
        When no frame fits onto a board.
    """
    kinds: dict[bool, list[Words]] = {True: [], False: []}
    for number, board in enumerate(boards):
        if board.tested.shape[0] < frame[0] or board.tested.shape[1] < frame[1]:
            raise UsageError(f"{board.name} is {board.tested.shape}; no frame of {frame} fits")
        for view in crops.views_of(board, frame, np.random.default_rng([seed, 1, number])):
            kinds[view.kind > 0].append(view.frame)
    # Evenly over all boards, for the first ones are of one group and may be alike.
    count = min(len(kinds[True]), len(kinds[False]), (most + 1) // 2)
    if not count:
        raise UsageError(f"no defect fits into a frame of {frame[1]} x {frame[0]}")
    chosen = [np.linspace(0, len(kinds[kind]) - 1, count).astype(int) for kind in (True, False)]
    pairs = zip(*chosen, strict=True)
    words = [kinds[not place][index] for pair in pairs for place, index in enumerate(pair)]
    return Frames(np.stack(words), np.tile([True, False], count))


def host_scores(artifact: Artifact, inspection: Inspection, words: Words) -> npt.NDArray[np.int64]:
    """The score of each frame, by the C on this machine."""
    application = HostApplication(artifact, sources(inspection))
    scores = []
    for frame in words:
        application.write(FRAME, frame.astype("<u2").tobytes())
        scores.append(application.call("inspect_frame"))
    return np.array(scores, np.int64)


def prove(artifact: Artifact, inspection: Inspection, graph: Graph, words: Words) -> Proof:
    """Run frames in the emulator and compare scores and verdicts with NumPy and this machine.

    Raises
    ------
    VerificationError
        When the program faults, overwrites a canary or its frame, or when anything differs.
    """
    application = EmulatedApplication(artifact, sources(inspection), ENTRIES)
    meant = inspection.scores(graph, words)
    host = host_scores(artifact, inspection, words)
    verdicts, slowest = [], 0
    for number, frame in enumerate(words):
        application.write(FRAME, frame.astype("<u2").tobytes())
        score = application.call("inspect_frame")
        slowest = max(slowest, application.instructions[0])
        verdicts.append(bool(application.call("inspect_verdict", score)))
        if application.read(FRAME, frame.nbytes) != frame.astype("<u2").tobytes():
            raise VerificationError(f"frame {number}", "the application changed its frame")
        if not score == meant[number] == host[number]:
            raise VerificationError(
                f"frame {number}",
                f"scores {score} on the emulator, {host[number]} on this machine, "
                f"{meant[number]} in NumPy",
            )
    if verdicts != inspection.verdicts(meant).tolist():
        raise VerificationError("the emulator", "its verdicts are not those of NumPy")
    return Proof(len(words), slowest, application.footprint, np.array(verdicts))


def write_application(artifact: Artifact, inspection: Inspection, folder: Path) -> None:
    """The project that ships: the model's folder, and the C around it."""
    artifact.write(folder / "model")
    for name, content in sources(inspection).items():
        write_whole(folder / name, content)
    write_whole(folder / "CMakeLists.txt", (FIRMWARE / "CMakeLists.txt").read_bytes())


def picture(words: Words, defects: npt.NDArray[np.bool_], verdicts: npt.NDArray[np.bool_]) -> Any:
    """The frames in a row; right verdicts are framed in green, wrong ones in red."""
    tiles = []
    for frame, truth, verdict in zip(words, defects, verdicts, strict=True):
        colour = "green" if truth == verdict else "red"
        tile = ImageOps.expand(Image.fromarray(unpack_rgb565(frame)), 4, colour)
        tiles.append(np.asarray(tile))
    rows = [np.concatenate(tiles[start : start + 4], axis=1) for start in range(0, len(tiles), 4)]
    widest = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    return Image.fromarray(np.concatenate(padded))


def show(point: OperatingPoint, what: str) -> str:
    """An operating point in words."""
    return (
        f"{what}: recall {point.recall:.2%} (at least {point.recall_bound:.2%}), "
        f"false alarms {point.false_alarms:.2%} (at most {point.false_alarms_bound:.2%}); "
        f"{point.positives} frames with and {point.negatives} without a defect"
    )


def inspect(given: argparse.Namespace) -> int:
    """The whole way; returns an exit code."""
    out: Path = given.out
    board = nk.device(given.device)
    frame, windows = (given.frame[1], given.frame[0]), (given.windows[1], given.windows[0])
    side = side_of(nk.load(given.model, optimize=False))
    # What the frame takes is no longer there for the arena.
    left = board.ram - 2 * frame[0] * frame[1]
    if not board.core.startswith("cortex-m") or left <= 0:
        raise UsageError(
            f"{board.id} has {board.ram:,} B of RAM on {board.core}; a frame of "
            f"{frame[1]} x {frame[0]} takes {board.ram - left:,} B, and a Cortex-M is emulated"
        )
    starts_of(frame, windows, side * given.shrink)
    if given.data is None:
        boards = draw_boards(groups=4, boards=given.boards, defects=8, seed=given.seed)
    else:
        boards = read_boards(given.data)
    data = prepare_data(boards, side, given.shrink, given.seed, out)
    quantized = prepare_model(given.model, data, given.epochs, given.seed, out)
    artifact = nk.compile(quantized, board, ram=left)
    graph = open_project(artifact).graph
    inspection = inspection_for(graph, data.normalisation, frame, windows, given.shrink)

    parts = crops.parts_of_groups(boards)
    seen = {
        part: frames_of(
            [b for b in boards if parts[b.group] == part], frame, given.frames, given.seed
        )
        for part in ("validation", "test")
    }
    scores = {part: host_scores(artifact, inspection, each.words) for part, each in seen.items()}
    chosen = threshold_for_recall(scores["validation"], seen["validation"].defects, given.recall)
    judged = operating_point(scores["test"], seen["test"].defects, chosen.threshold)
    inspection = replace(inspection, threshold=chosen.threshold)
    write_application(artifact, inspection, out / "application")
    sealed = Frames(seen["test"].words[: given.prove], seen["test"].defects[: given.prove])
    proof = prove(artifact, inspection, graph, sealed.words)
    drawn = picture(sealed.words, sealed.defects, proof.verdicts)
    write_whole(out / "frames.png", lambda stream: drawn.save(stream, "PNG"))

    used = proof.footprint
    whole = sum(region.size for region in board.memory("arena"))
    lines = [
        show(chosen, "validation boards"),
        show(judged, "sealed boards"),
        f"threshold {chosen.threshold} for a recall of {given.recall:g}",
        f"{proof.frames} frames on an emulated {board.core}: scores and verdicts as in NumPy",
        f"  instructions a frame {proof.instructions:>12,} ({len(inspection.places)} windows)",
        *(f"  {name:<20} {size:>12,} B" for name, size in sorted(used.buffers.items())),
        f"  {'variables':<20} {used.variables:>12,} B",
        f"  {'stack':<20} {used.stack:>12,} B",
        f"  {'RAM in all':<20} {used.ram:>12,} B of {whole:,} B",
        f"  {'flash in all':<20} {used.flash:>12,} B of {board.flash:,} B",
    ]
    print("\n".join(lines))
    record = {
        "model": given.model,
        "device": board.id,
        "threshold": chosen.threshold,
        "validation": describe(chosen),
        "sealed": describe(judged),
        "proved_frames": proof.frames,
        "instructions": proof.instructions,
        "ram": used.ram,
        "ram_parts": {**used.buffers, "variables": used.variables, "stack": used.stack},
        "flash": used.flash,
    }
    write_whole(out / "inspection.json", json.dumps(record, indent=2).encode())
    return 0 if used.ram <= whole and used.flash <= board.flash else 3


def describe(point: OperatingPoint) -> dict[str, float]:
    """An operating point as plain values."""
    return {
        "recall": point.recall,
        "recall_bound": point.recall_bound,
        "false_alarms": point.false_alarms,
        "false_alarms_bound": point.false_alarms_bound,
        "with_defect": point.positives,
        "without_defect": point.negatives,
    }


def extents(text: str) -> tuple[int, int]:
    """(across, down) from a text such as ``160x120``."""
    across, mark, down = text.partition("x")
    if not (mark and across.isdecimal() and down.isdecimal()) or not 0 < int(across) < 5000:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 160x120")
    return int(across), int(down)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and inspect."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--data", help="folder or .zip of boards, as DeepPCB stores them; drawn without it")
    add("--out", type=Path, default=Path("out/inspection"), help="folder of all results")
    add("--model", default=MODEL, help="a file, or a name of the zoo to train")
    add("--device", default="generic-cortex-m4-256k", help="a board (netsuke devices)")
    add("--frame", type=extents, default=(160, 120), help="pixels of a frame, across x down")
    add("--windows", type=extents, default=(3, 2), help="windows of a frame, across x down")
    add("--shrink", type=int, default=1, help="pixels whose mean is one of the network's input")
    add("--recall", type=float, default=0.99, help="defects to find on validation boards (0.99)")
    add("--epochs", type=int, default=8, help="of training (8)")
    add("--frames", type=int, default=500, help="at most so many of each part (500)")
    add("--prove", type=int, default=8, help="sealed frames that run in the emulator (8)")
    add("--boards", type=int, default=12, help="boards a group that are drawn (12)")
    add("--seed", type=int, default=0, help="of boards, places, light, noise and weights (0)")
    given = parser.parse_args(arguments)
    try:
        least = (given.shrink, given.frames, given.prove, given.boards, given.epochs)
        if min(least) < 1 or given.shrink > 16 or given.seed < 0:
            raise UsageError("numbers are 1 or more (--shrink at most 16, --seed 0 or more)")
        if not 0.0 < given.recall <= 1.0:
            raise UsageError(f"--recall {given.recall:g} cannot be asked for; try 0.99")
        return inspect(given)
    except NetsukeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
