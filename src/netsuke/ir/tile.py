"""What an operator has to do, and to read, for a rectangle of its output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from netsuke.ir.tensor import Tensor

if TYPE_CHECKING:
    from netsuke.ir.op import Op

Box: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""(first, end) of rows and of columns of an (h, w, c) tensor."""


@dataclass(frozen=True, slots=True)
class Tile:
    """An operator that computes a rectangle of another one's output, element for element.

    Attributes
    ----------
    op
        The operator; its inputs are the rectangles `reads` of the other one's.
    reads
        One rectangle an input; None where the whole input is read, as most constants are.
    """

    op: Op
    reads: tuple[Box | None, ...]


def elementwise_tile(op: Op, inputs: Sequence[Tensor], box: Box) -> Tile | None:
    """The tile of an operator whose operands broadcast to its output, (h, w, c)."""
    reads: list[Box | None] = []
    for tensor in inputs:
        if len(tensor.shape) == 3:
            rows, columns = (
                (0, 1) if extent == 1 else part
                for extent, part in zip(tensor.shape, box, strict=False)
            )
            reads.append((rows, columns))
        elif len(tensor.shape) < 2 or tensor.shape[0] == 1:
            reads.append(None)
        else:
            return None
    return Tile(op, tuple(reads))
