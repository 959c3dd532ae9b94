"""LiteRT: the file mapped, weights packed a second time, and one workspace for activations.

XNNPACK packs the same weights on both kinds of processor, in blocks of different width; so the run
on this machine stands for the target, and the file tells what the figure is made of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from netsuke.frontend.tflite.model import FileModel, FileTensor, read_model
from netsuke.profile.estimate.account import Account, Moment
from netsuke.profile.estimate.calibration import Stages, measure
from netsuke.profile.estimate.result import Part

PACKED = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"}
)
"""Operators whose constants XNNPACK keeps in a layout of its own besides."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model as LiteRT ran it here.

    Attributes
    ----------
    stages
        Of a run on this machine.
    file, packed
        Bytes of the file; of the constants that are packed again.
    live
        Most bytes of activations at once.
    peak_at
        The operator at which that is.
    inputs
        Bytes of the arrays that the caller holds.
    """

    stages: Stages
    file: int
    packed: int
    live: int
    peak_at: str
    inputs: int


def load(path: Path, batch: int | None, threads: int) -> tuple[Loaded, int]:
    """Run a model on this machine and read its file; also the batch that ran.

    Raises
    ------
    ModelError
        When the file is damaged, or LiteRT refuses it.
    """
    data = path.read_bytes()
    model = read_model(data, str(path))
    shapes = [model.tensors[number].shape for number in model.inputs]
    stored = shapes[0][0] if shapes and shapes[0] else 1
    factor = 1.0 if batch is None else batch / max(stored, 1)
    if batch is not None:
        shapes = [(batch, *shape[1:]) for shape in shapes]
    stages = measure("litert", path, shapes, threads=threads)
    live, peak_at = _liveness(model)
    packed = sum(
        _size(model.tensors[number])
        for operator in model.operators
        if operator.kind in PACKED
        for number in operator.inputs
        if number >= 0 and model.tensors[number].raw is not None
    )
    inputs = sum(_size(model.tensors[number]) for number in model.inputs)
    scaled = [round(factor * size) for size in (live, inputs)]
    made = Loaded(stages, len(data), packed, scaled[0], peak_at, scaled[1])
    return made, stored if batch is None else batch


def _size(tensor: FileTensor) -> int:
    if tensor.raw is not None:
        return int(tensor.raw.size)
    return math.prod(tensor.shape) * max(1, tensor.bits // 8)


def _liveness(model: FileModel) -> tuple[int, str]:
    """Most bytes of activations that exist at once, and the operator at which they do."""
    last = {number: position for position, o in enumerate(model.operators) for number in o.inputs}
    for number in model.outputs:
        last[number] = len(model.operators)
    live = {number: _size(model.tensors[number]) for number in model.inputs}
    most, place = 0, "load"
    for position, operator in enumerate(model.operators):
        for number in operator.outputs:
            live[number] = _size(model.tensors[number])
        if sum(live.values()) > most:
            most, place = sum(live.values()), model.tensors[operator.outputs[0]].name
        live = {number: size for number, size in live.items() if last.get(number, -1) > position}
    return most, place


def account(loaded: Loaded) -> Account:
    """Moments of a process on the target."""
    stages = loaded.stages
    base = stages.rss["import"]
    moments = (
        Moment("load", stages.hwm["load"] - base, "load"),
        Moment("runs", stages.peak - base, "run"),
    )
    parts = [
        Part("the file, mapped", loaded.file, "int8 weights (netsuke quantize)", 0),
        Part(
            "weights packed by XNNPACK",
            loaded.packed,
            "OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES (slower)",
            loaded.packed,
        ),
        Part("activations", loaded.live, "half the batch", loaded.live // 2),
        Part("input arrays", loaded.inputs, "half the batch", loaded.inputs // 2),
    ]
    return Account(moments, tuple(parts), 0)
