"""Ensembles of decision trees over integer features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType
from netsuke.ops.forest.tables import forest_kernels
from netsuke.ops.forest.timing import timed_on_avr
from netsuke.ops.forest.trees import Trees, check_trees, largest_score, leaves_reached

MODES = ("scores", "class", "leaves")


@dataclass(frozen=True, slots=True)
class Forest(Op):
    """scores = offset + Σ over trees of the weights of the leaf that x reaches.

    A tree goes left at a split when ``x[feature] <= threshold``. Features and thresholds are
    integers of one type, so a threshold ``t`` of a tree that was grown on reals that are integers
    is ``floor(t)``, exactly.

    Inputs: x ``(features,)`` int8, uint8 or int16; then constants:

    - split feature ``(splits,)`` int32 and split threshold ``(splits,)`` int32,
    - children ``(splits, 2)`` int32: left and right; a later split, or ``-1 - leaf``,
    - roots ``(trees,)`` int32, written like children,
    - leaf weights ``(leaves, outputs)`` int16,
    - offset ``(outputs,)`` int16.

    Attributes
    ----------
    mode
        ``"scores"``: ``(outputs,)`` int16. ``"class"``: the number of the largest score, the first
        of equals, ``(1,)`` uint8. ``"leaves"``: the number of the leaf that each tree reaches,
        ``(trees,)`` int16: the path of the decision, for explanations.
    """

    mode: str = "scores"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x = inputs[0]
        if self.mode not in MODES:
            raise GraphError(x.name, f"forest mode {self.mode!r} is none of {', '.join(MODES)}")
        if len(x.shape) != 1 or x.dtype not in ("int8", "uint8", "int16"):
            raise GraphError(
                x.name,
                f"a forest reads one vector of int8, uint8 or int16, not {x.dtype}{list(x.shape)}",
            )
        trees = Trees.of(inputs)
        check_trees(trees, x)
        outputs = trees.leaves.shape[1]
        if self.mode == "leaves":
            return (TensorType((len(trees.roots),), "int16"),)
        if self.mode == "class":
            return (TensorType((1,), "uint8"),)
        return (TensorType((outputs,), "int16"),)

    def rows(self, *arrays: Array) -> Array:
        """The output for many samples ``(n, features)``."""
        trees = Trees(*arrays[1:])
        reached = leaves_reached(trees, arrays[0])
        if self.mode == "leaves":
            return reached.astype(np.int16)
        scores = trees.offset.astype(np.int64) + trees.leaves[reached].sum(1, dtype=np.int64)
        if self.mode == "class":
            return scores.argmax(1)[:, None].astype(np.uint8)
        return scores.astype(np.int16)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None], *arrays[1:])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        trees = Trees.of(inputs)
        return Cost(elementary=int(trees.mean_path) + trees.leaves.shape[1] * len(trees.roots))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        return forest_kernels(Trees.of(inputs), inputs[0], self.mode, isa)

    def timed(self, kernel: Kernel, inputs: Sequence[Tensor], rows: Sequence[Array]) -> Kernel:
        return timed_on_avr(kernel, Trees.of(inputs), inputs[0], rows[0])


__all__ = ["Forest", "Trees", "largest_score", "leaves_reached"]
