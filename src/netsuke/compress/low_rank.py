"""Low-rank factorisation: one layer becomes two thin ones.

A dense layer or 1 x 1 convolution y = W x + b, W of shape (m, n), becomes y = A (B x) + b' with r
channels between, which costs r (m + n) multiply-accumulates in place of m n. Without data A B is
the nearest matrix of rank r: the first r terms of W = U S Vᵀ (Eckart & Young 1936), whose squared
error is the sum of the other s_i². With data it is the nearest on responses (Zhang et al. 2015,
arXiv:1505.06798, section 3.1, eqs. 2-5): with the covariance C of the inputs, W C^½ = U S Vᵀ and

    W' = U_r U_rᵀ W        b' = b + (W - W') x̄

is the minimum of E |W x + b - W' x - b'|², which is the sum of the other s_i².
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, Node, interpret, verify
from netsuke.ops import Conv2d, Dense
from netsuke.passes.edit import Edit
from netsuke.passes.linear import with_bounds

SAMPLES = 64
"""Enough of them: every pixel of a sample is an input vector."""
STEPS = 80
"""Halvings of the price of a byte when ranks are chosen for a budget."""
BIAS = 4
"""Bytes of a bias in an int8 network; a weight is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """What a layer can become.

    Attributes
    ----------
    weights
        ``(m, n)``.
    left
        Orthonormal directions of the outputs ``(m, k)``, the most important first.
    energies
        Squared singular values ``(k,)``: what dropping each direction costs.
    shift
        Mean of the inputs ``(n,)``; zeros without data.
    """

    weights: Array
    left: Array
    energies: Array
    shift: Array

    def bytes(self, rank: int) -> int:
        """Bytes of weights and of the new bias in an int8 network; rank 0: the layer as it is."""
        m, n = self.weights.shape
        return rank * (m + n) + BIAS * rank if rank else m * n

    @property
    def ranks(self) -> range:
        """Ranks at which both bytes and multiply-accumulates fall."""
        m, n = self.weights.shape
        return range(1, min(len(self.energies), -(-(m * n) // (m + n + BIAS)) - 1) + 1)

    def lost(self, rank: int) -> float:
        """Share of the energy that a rank loses; rank 0 loses nothing."""
        total = float(self.energies.sum())
        return float(self.energies[rank:].sum()) / total if rank and total > 0.0 else 0.0

    def factors(self, rank: int) -> tuple[Array, Array, Array]:
        """A ``(m, r)``, B ``(r, n)`` and what is added to the bias ``(m,)``."""
        left = self.left[:, :rank]
        right = left.T @ self.weights
        addend = (self.weights - left @ right) @ self.shift
        # Both factors get the same norms, so that int8 scales and training find them alike.
        root = np.sqrt(np.maximum(np.linalg.norm(right, axis=1), 1e-30))
        return left * root, right / root[:, None], addend


@dataclass(frozen=True, slots=True, eq=False)
class Factorised:
    """A graph with thin layers, and the ranks: layer -> (full rank, rank, share of energy lost)."""

    graph: Graph
    ranks: Mapping[str, tuple[int, int, float]]


def factorise(
    graph: Graph,
    energy: float | None = None,
    budget: int | None = None,
    samples: Sequence[Array] | None = None,
) -> Factorised:
    """Replace dense layers and 1 x 1 convolutions by two thin ones each, where that saves.

    Parameters
    ----------
    graph
        A float graph.
    energy
        Share of each layer's squared singular values that stays, above 0 and below 1: every layer
        gets the smallest rank that keeps it.
    budget
        Or bytes (int8 weights and new biases) that all these layers may take together: ranks
        are those that lose the least energy, summed over layers as shares.
    samples
        Inputs of the graph, ``(n, *shape)`` each, in its own form: then energies and bases are
        those of the layers' responses instead of their weights.

    Returns
    -------
    Factorised
        A layer is left alone where bytes or multiply-accumulates would not fall.

    Raises
    ------
    UsageError
        When not exactly one of `energy` and `budget` is given or it is out of range, or the
        budget cannot be held with rank 1 everywhere.
    """
    if (energy is None) == (budget is None):
        raise UsageError("low rank needs either an energy or a budget in bytes, not both")
    if energy is not None and not 0.0 < energy < 1.0:
        raise UsageError(f"energy={energy:g} is not a share above 0 and below 1; try 0.95")
    layers = [node for node in graph.nodes if _is_factorable(graph, node)]
    moments = _moments(graph, layers, samples) if samples is not None else {}
    spectra = {node.name: _spectrum(graph, node, moments.get(node.name)) for node in layers}
    if energy is not None:
        ranks = {name: _by_energy(spectrum, energy) for name, spectrum in spectra.items()}
    else:
        ranks = _by_bytes(spectra, budget or 0)
    edit = Edit(graph)
    for node in layers:
        if ranks[node.name]:
            _replace(edit, node, spectra[node.name], ranks[node.name])
    told = {
        name: (min(spectra[name].weights.shape), rank, spectra[name].lost(rank))
        for name, rank in ranks.items()
        if rank
    }
    return Factorised(verify(edit.finish()), told)


def _is_factorable(graph: Graph, node: Node) -> bool:
    """A float dense layer or ungrouped 1 x 1 convolution with constants."""
    if not isinstance(node.op, Dense | Conv2d):
        return False
    tensors = graph.in_of(node)
    if any(tensor.quant is not None for tensor in tensors):
        raise UsageError(f"{graph.name} is quantized; factorise the float model and quantize that")
    if not all(tensor.is_constant for tensor in tensors[1:]):
        return False
    if isinstance(node.op, Dense):
        return True
    single = tensors[1].shape[1:3] == (1, 1) and node.op.groups == 1
    # Padding would let pixels of the bias appear between the two layers.
    return single and not any(map(any, node.op.padding))


def _matrix(graph: Graph, node: Node) -> Array:
    data = graph.tensors[node.inputs[1]].data
    assert data is not None
    return data.reshape(data.shape[0], -1).astype(np.float64)


def _moments(
    graph: Graph, layers: Sequence[Node], samples: Sequence[Array]
) -> dict[str, tuple[Array, Array]]:
    """Mean ``(n,)`` and covariance ``(n, n)`` of each layer's input vectors."""
    sums: dict[str, list[Array | float]] = {}
    wanted = {node.inputs[0] for node in layers}

    def observe(name: str, value: Array) -> None:
        if name in wanted:
            rows = value.reshape(-1, value.shape[-1]).astype(np.float64)
            found = sums.setdefault(name, [0.0, 0.0, 0.0])
            found[0] += len(rows)
            found[1] = found[1] + rows.sum(axis=0)
            found[2] = found[2] + rows.T @ rows

    for sample in zip(*samples, strict=True):
        interpret(graph, dict(zip(graph.inputs, sample, strict=True)), observe)
    moments = {}
    for node in layers:
        if node.inputs[0] not in sums:
            raise UsageError(f"no samples to measure the inputs of {node.name!r} on")
        count, total, squares = sums[node.inputs[0]]
        mean = np.asarray(total) / count
        moments[node.name] = mean, np.asarray(squares) / count - np.outer(mean, mean)
    return moments


def _spectrum(graph: Graph, node: Node, moments: tuple[Array, Array] | None) -> Spectrum:
    weights = _matrix(graph, node)
    if moments is None:
        left, values, _ = np.linalg.svd(weights, full_matrices=False)
        return Spectrum(weights, left, np.square(values), np.zeros(weights.shape[1]))
    mean, covariance = moments
    # The left singular vectors of W C^½ are the eigenvectors of W C Wᵀ.
    values, vectors = np.linalg.eigh(weights @ covariance @ weights.T)
    count = min(weights.shape)
    energies = np.maximum(values[::-1][:count], 0.0)
    return Spectrum(weights, vectors[:, ::-1][:, :count], energies, mean)


def _by_energy(spectrum: Spectrum, energy: float) -> int:
    """The smallest rank that keeps the energy, 0 when that saves nothing."""
    for rank in spectrum.ranks:
        if spectrum.lost(rank) <= 1.0 - energy:
            return rank
    return 0


def _by_bytes(spectra: Mapping[str, Spectrum], budget: int) -> dict[str, int]:
    """Ranks within a budget, by a price a byte that is raised until it holds (Lagrange)."""
    options = {name: (0, *spectrum.ranks) for name, spectrum in spectra.items()}
    least = sum(
        min(spectrum.bytes(rank) for rank in options[name]) for name, spectrum in spectra.items()
    )
    if budget < least:
        raise UsageError(
            f"budget={budget}: with rank 1 everywhere dense and 1 x 1 layers still take {least} B"
        )

    def chosen(price: float) -> dict[str, int]:
        return {
            name: min(
                options[name], key=lambda rank: spectrum.lost(rank) + price * spectrum.bytes(rank)
            )
            for name, spectrum in spectra.items()
        }

    def total(ranks: Mapping[str, int]) -> int:
        return sum(spectra[name].bytes(rank) for name, rank in ranks.items())

    low, high = 0.0, 2.0  # a byte that costs more than all the energy is never taken
    if total(chosen(low)) <= budget:
        return chosen(low)
    for _ in range(STEPS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if total(chosen(middle)) <= budget else (middle, high)
    return chosen(high)


def _replace(edit: Edit, node: Node, spectrum: Spectrum, rank: int) -> None:
    """Put the thin layers in: the first has the stride and no clamp, the second the clamp."""
    outer, inner, addend = spectrum.factors(rank)
    bias = edit.inputs(node)[2].data
    assert bias is not None
    first, second = with_bounds(node.op, -np.inf, np.inf), node.op
    if isinstance(node.op, Conv2d):
        outer, inner = outer[:, None, None, :], inner[:, None, None, :]
        second = replace(node.op, stride=(1, 1))
    names = [
        edit.constant(f"{node.name}.{part}", np.asarray(values, np.float32))
        for part, values in (
            *(("inner", inner), ("inner_bias", np.zeros(rank))),
            *(("outer", outer), ("outer_bias", bias + addend)),
        )
    ]
    thin = edit.add(first, [node.inputs[0], *names[:2]], node, f"{node.name}.thin")
    edit.replace(node, second, [thin, *names[2:]])
