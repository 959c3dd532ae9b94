"""A tree whose splits weigh all features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

SUFFIX = {"int8": "s8", "uint8": "u8", "int16": "s16"}
MODES = ("scores", "class", "leaf")
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class ObliqueTree(Op):
    """From the root, ``k = 2k + 1 + (w_k · x + b_k > 0)``, as often as the tree is deep.

    A complete tree of 2^depth - 1 splits in the order of levels. Inputs: x ``(features,)`` int8,
    uint8 or int16; weights ``(splits, features)`` int8, bias ``(splits,)`` int32 and leaves
    ``(splits + 1, outputs)`` int8, constants. No sum exceeds 24 bits, which is checked.

    Attributes
    ----------
    mode
        ``"scores"``: the leaf's row, ``(outputs,)`` int8. ``"class"``: the first of its largest
        numbers, ``(1,)`` uint8. ``"leaf"``: the leaf's number, ``(1,)`` int16, which says every
        decision on the way: its bits are the turns.
    """

    mode: str = "class"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias, leaves = inputs
        if self.mode not in MODES:
            raise GraphError(x.name, f"mode {self.mode!r} is none of {', '.join(MODES)}")
        if len(x.shape) != 1 or x.dtype not in SUFFIX:
            raise GraphError(x.name, f"must be a vector of integers, not {x.dtype}{list(x.shape)}")
        kinds = [tensor.dtype for tensor in inputs[1:]]
        if kinds != ["int8", "int32", "int8"] or not all(t.is_constant for t in inputs[1:]):
            raise GraphError(x.name, "weights, bias and leaves are constants of int8, int32, int8")
        splits = bias.elements
        if (splits + 1) & splits or not 1 <= splits < 1 << DEEPEST:
            raise GraphError(x.name, f"{splits} splits are no complete tree of depth 1..{DEEPEST}")
        if weights.shape != (splits, *x.shape) or bias.shape != (splits,):
            raise GraphError(x.name, f"weights {list(weights.shape)} do not match {list(x.shape)}")
        if (
            len(leaves.shape) != 2
            or leaves.shape[0] != splits + 1
            or not (1 <= leaves.shape[1] <= 255)
        ):
            raise GraphError(x.name, f"{list(leaves.shape)} is not one row for {splits + 1} leaves")
        _check_sums(x, weights, bias)
        if self.mode == "scores":
            return (TensorType((leaves.shape[1],), "int8"),)
        return (TensorType((1,), "uint8" if self.mode == "class" else "int16"),)

    def rows(self, *arrays: Array) -> Array:
        """The output for many samples ``(n, features)``."""
        x, weights, bias, leaves = arrays
        at = np.zeros(len(x), np.int64)
        wide = weights.astype(np.int64)
        for _ in range(len(bias).bit_length()):
            sums = np.einsum("nf,nf->n", x.astype(np.int64), wide[at]) + bias[at]
            at = 2 * at + 1 + (sums > 0)
        leaf = at - len(bias)
        if self.mode == "leaf":
            return leaf[:, None].astype(np.int16)
        if self.mode == "class":
            return leaves.argmax(1)[leaf][:, None].astype(np.uint8)
        return np.asarray(leaves[leaf])

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None], *arrays[1:])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=(inputs[2].elements).bit_length() * inputs[0].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        x, _, bias, leaves = inputs
        assert leaves.data is not None
        table = leaves.data
        if self.mode == "class":
            table = table.argmax(1).astype(np.uint8).view(np.int8)[:, None]
        suffix = SUFFIX[x.dtype]
        name = suffix + {"class": "", "scores": "", "leaf": "_leaf"}[self.mode]
        return (
            Kernel(
                f"nsk_oblique_tree_{name}",
                f"oblique_tree/oblique_tree_{suffix}.c",
                "nsk_oblique_tree",
                {"splits": bias.elements, "features": x.elements, "outputs": table.shape[1]},
                constants={3: None if self.mode == "leaf" else table},
                instructions=8.0 * self.cost(inputs, outputs).macs + 40.0,
                flash=True,
                cycles=self._avr_cycles(inputs) if "avr" in isa else 0.0,
            ),
        )

    def _avr_cycles(self, inputs: Sequence[Tensor]) -> float:
        """Clock cycles on an AVR: a product's from instruction timing, a level's measured."""
        product = (23 if inputs[0].dtype == "int16" else 14) + (inputs[0].elements > 255)
        levels = inputs[2].elements.bit_length()
        return levels * (product * inputs[0].elements + 75.0) + 10.0


def _check_sums(x: Tensor, weights: Tensor, bias: Tensor) -> None:
    """Refuse sums that could exceed 24 bits for any x of its type."""
    assert weights.data is not None and bias.data is not None
    limits = np.iinfo(x.dtype)
    reach = max(abs(int(limits.min)), int(limits.max))
    sums = np.abs(weights.data.astype(np.int64)).sum(1) * reach + np.abs(bias.data.astype(np.int64))
    if int(sums.max()) >= 1 << 23:
        raise GraphError(
            x.name,
            f"the sum of split {int(sums.argmax())} could reach {int(sums.max()):,}, beyond 24 "
            "bits; use smaller weights",
        )
