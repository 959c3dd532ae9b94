"""Dilated convolutions that an exporter took apart.

Old exporters write a dilated convolution as SPACE_TO_BATCH_ND, a convolution without padding, and
BATCH_TO_SPACE_ND. The three are one operator here: with block d, paddings p and crops c, it is the
convolution with dilation d and padding p - c.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from netsuke.frontend.tflite.constants import decode
from netsuke.frontend.tflite.model import FileModel, FileOperator
from netsuke.ir import Array

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def join_dilated_convolutions(model: FileModel) -> tuple[FileOperator, ...]:
    """Return the operators with every such triple replaced by its convolution."""
    if not any(operator.kind == "SPACE_TO_BATCH_ND" for operator in model.operators):
        return model.operators
    reads = Counter(index for operator in model.operators for index in operator.inputs)
    reads.update(model.outputs)
    readers = {index: op for op in model.operators for index in op.inputs if reads[index] == 1}
    gone: set[int] = set()
    joined: dict[int, FileOperator] = {}
    for spread in model.operators:
        if spread.kind != "SPACE_TO_BATCH_ND":
            continue
        convolution = readers.get(spread.outputs[0])
        gather = readers.get(convolution.outputs[0]) if convolution else None
        if convolution is None or gather is None or gather.kind != "BATCH_TO_SPACE_ND":
            continue
        whole = _join(model, spread, convolution, gather)
        if whole is not None:
            gone.update((id(spread), id(convolution)))
            joined[id(gather)] = whole
    return tuple(
        joined.get(id(operator), operator)
        for operator in model.operators
        if id(operator) not in gone
    )


def _join(
    model: FileModel, spread: FileOperator, convolution: FileOperator, gather: FileOperator
) -> FileOperator | None:
    if convolution.kind not in _CONVOLUTIONS or len(convolution.inputs) < 2:
        return None
    if len(spread.inputs) != 3 or len(gather.inputs) != 3:
        return None
    if convolution.inputs[0] != spread.outputs[0] or gather.inputs[0] != convolution.outputs[0]:
        return None
    block, back = (_small(model, op.inputs[1]) for op in (spread, gather))
    paddings, crops = (_small(model, op.inputs[2]) for op in (spread, gather))
    if block is None or back is None or paddings is None or crops is None:
        return None
    if block.shape != (2,) or paddings.shape != (2, 2) or crops.shape != (2, 2):
        return None
    pads = paddings.astype(np.int64) - crops
    if not np.array_equal(block, back) or block.min() < 1 or pads.min() < 0:
        return None
    (top, bottom), (left, right) = pads.tolist()
    return replace(
        convolution,
        inputs=(spread.inputs[0], *convolution.inputs[1:]),
        outputs=gather.outputs,
        pads=((top, bottom), (left, right)),
        dilation=(int(block[0]), int(block[1])),
    )


def _small(model: FileModel, index: int) -> Array | None:
    """A constant of a few integers."""
    if index < 0:
        return None
    tensor = model.tensors[index]
    if tensor.raw is None or tensor.raw.size > 64 or tensor.dtype not in ("int32", "int64"):
        return None
    return decode(model.file, tensor)
