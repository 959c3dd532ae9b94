"""A balanced tree whose nodes add gated linear scores along one path: the tree of Bonsai."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

LARGEST = 128  # |z| of an int8
DEEPEST = 7  # the number of a node is a byte


@dataclass(frozen=True, slots=True)
class GatedTree(Op):
    """y = Σ over the path's nodes k of (W_k z) ∘ clip(V_k z, -1, 1), in integers.

    Kumar, Goyal & Varma 2017, "Resource-efficient machine learning in 2 KB RAM for the internet of
    things", equation 1, with the hard tanh of its integer form. From node k the path goes to
    2k + 2 if θ_k · z > 0, else to 2k + 1. In integers, for output l of node k::

        a = (w[k, l] · z) >> linear_shift      g = clip((v[k, l] · z) >> gate_shift, -128, 127)
        y[l] += (a · g) >> 8

    Inputs: z ``(size,)``, w ``(nodes, outputs, size)``, v ``(nodes, outputs or 1, size)``,
    θ ``(inner nodes, size)``, all int8 and all but z constant. Output: ``(outputs,)`` int16.

    Attributes
    ----------
    linear_shift, gate_shift
        Bits that are dropped, 0 .. 15; a gate of 128 is 1.
    """

    linear_shift: int = 0
    gate_shift: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        z, linear, gated, branch = inputs
        if any(tensor.dtype != "int8" for tensor in inputs):
            raise GraphError(z.name, "a gated tree takes int8 only")
        if not all(tensor.is_constant for tensor in inputs[1:]):
            raise GraphError(z.name, "matrices of a gated tree must be constants")
        if len(z.shape) != 1 or len(linear.shape) != 3 or not 1 <= z.shape[0] <= 255:
            raise GraphError(z.name, f"no gated tree for {list(z.shape)}, {list(linear.shape)}")
        nodes, outputs, size = linear.shape
        inner = nodes // 2
        if nodes + 1 not in {2 << depth for depth in range(DEEPEST + 1)} or not 1 <= outputs <= 255:
            raise GraphError(z.name, f"{nodes} nodes with {outputs} outputs are no balanced tree")
        fits = gated.shape in ((nodes, outputs, size), (nodes, 1, size))
        if z.shape != (size,) or not fits or branch.shape != (inner, size):
            raise GraphError(
                z.name,
                f"{list(linear.shape)}, {list(gated.shape)} and {list(branch.shape)} do not match "
                f"{list(z.shape)}",
            )
        if not (0 <= self.linear_shift <= 15 and 0 <= self.gate_shift <= 15):
            raise GraphError(z.name, f"shifts {self.linear_shift}, {self.gate_shift} not 0 .. 15")
        if linear.size > 65535 or largest_score(linear, self.linear_shift) > 32767:
            raise GraphError(z.name, "scores of this tree can exceed 16 bits")
        return (TensorType((outputs,), "int16"),)

    def rows(self, *arrays: Array) -> Array:
        """y of many samples: z ``(n, size)`` to ``(n, outputs)``."""
        z, linear, gated, branch = (array.astype(np.int64) for array in arrays)
        scores = np.zeros((len(z), linear.shape[1]), np.int64)
        node = np.zeros(len(z), np.int64)
        while True:
            a = np.einsum("nls,ns->nl", linear[node], z) >> self.linear_shift
            gate = np.einsum("nls,ns->nl", gated[node], z) >> self.gate_shift
            scores += (a * np.clip(gate, -128, 127)) >> 8
            if not len(node) or node[0] >= len(branch):
                return scores.astype(np.int16)
            node = 2 * node + 1 + ((branch[node] * z).sum(axis=1) > 0)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None], *arrays[1:])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        levels = (inputs[1].shape[0] + 1).bit_length() - 1
        _, results, size = inputs[1].shape
        return Cost(macs=size * (levels * (results + inputs[2].shape[1]) + levels - 1))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        nodes, results, size = inputs[1].shape
        return (
            Kernel(
                "nsk_gated_tree_s8",
                "gated_tree/gated_tree_s8.c",
                "nsk_gated_tree",
                {
                    "size": size,
                    "outputs": results,
                    "shared": int(inputs[2].shape[1] != results),
                    "inner": nodes // 2,
                    "linear_shift": self.linear_shift,
                    "gate_shift": self.gate_shift,
                },
                instructions=6.0 * self.cost(inputs, outputs).macs + 20.0 * results,
                flash=True,
                cycles=self._avr_cycles(inputs) if "avr" in isa else 0.0,
            ),
        )

    def _avr_cycles(self, inputs: Sequence[Tensor]) -> float:
        """Clock cycles on an AVR: 14 a product from instruction timing, the rest measured."""
        nodes, results, size = inputs[1].shape
        gates = inputs[2].shape[1]
        levels = (nodes + 1).bit_length() - 1
        dots = levels * (results + gates) + levels - 1

        def end(shift: int) -> float:
            return 6.0 * shift if shift < 8 else 5.4 * (shift - 8)

        linear, gate = 98.0 + end(self.linear_shift), 41.0 + end(self.gate_shift)
        return 14.0 * size * dots + levels * (results * linear + gates * gate) + 55.0 * levels - 50


def largest_score(linear: Tensor, shift: int) -> int:
    """A bound of |y| over every path; 2^16 when a linear term alone leaves 16 bits."""
    assert linear.data is not None
    terms = np.abs(linear.data.astype(np.int64)).sum(axis=2) * LARGEST
    terms = -(-terms // (1 << shift))  # towards infinity: a negative sum is shifted to below
    if terms.max(initial=0) > 32767:
        return 1 << 16
    addends = terms // 2 + 1
    most = addends.copy()
    for node in range(1, len(most)):
        most[node] += most[(node - 1) // 2]
    return int(most.max(initial=0))
