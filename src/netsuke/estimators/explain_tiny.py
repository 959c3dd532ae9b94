"""Reasons of the models that are integer graphs: Bonsai, ProtoNN, linear scores, small networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.estimators.explain import Condition, Explanation
from netsuke.estimators.training.proto_network import FRACTION
from netsuke.ir import Array, Graph, Node
from netsuke.ops import GatedTree, Projection, Prototypes

STEPS = 64
"""Points of the integral for ProtoNN."""


@dataclass(frozen=True, slots=True, eq=False)
class _Reasons:
    """Of the integer scores: ``(features, outputs)``, and steps with what each added."""

    contributions: Array
    path: tuple[tuple[str, Array], ...]


def explain_integers(
    model: Any, row: Array, outputs: tuple[str, ...], names: tuple[str, ...], prediction: Any
) -> Explanation:
    """Explain one row of an estimator that has a `graph_`.

    Contributions count from the middle of each feature's range, the stored 0. They are exact for
    linear scores. With the path and the gates of a Bonsai as they are, or the active units of a
    network, its scores are linear, too, and each feature gets its term (gradient times input,
    Shrikumar et al. 2016, arXiv:1605.01713). For ProtoNN they are integrated gradients from the
    middle to the row (Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks",
    equation 1). Whatever rounding leaves is in the base.

    Parameters
    ----------
    model
        A fitted tiny estimator.
    row
        ``(features,)`` in the person's units.
    outputs, names
        Of scores and features.
    prediction
        What the model predicts.
    """
    graph: Graph = model.graph_
    stored = model.grid_.stored(row[None])[0].astype(np.float64)
    quant = graph.tensors[graph.outputs[0]].quant
    assert quant is not None
    unit = float(quant.scale[0])
    reasons, integers = _reasons(graph, stored)
    scores = model._reals(graph, integers)
    contributions = unit * reasons.contributions
    path = tuple(
        Condition(text, 0, (), tuple(map(float, unit * added))) for text, added in reasons.path
    )
    base = scores - contributions.sum(0)
    return Explanation(prediction, outputs, scores, base, names, contributions, path)


def _reasons(graph: Graph, x: Array) -> tuple[_Reasons, Array]:
    first, last = graph.nodes[0], graph.nodes[-1]
    z, slopes = _projected(graph, first, x)
    if first is last:
        return _Reasons((slopes * x).T, ()), z
    if isinstance(last.op, GatedTree):
        return _gated(graph, last, x, z, slopes)
    if isinstance(last.op, Prototypes):
        return _prototypes(graph, first, last, x, z)
    scores, weights = _projected(graph, last, z)
    units = [k for k in np.argsort(-np.abs(weights * z).max(0), kind="stable") if z[k] > 0]
    path = tuple((f"unit {k} is at {z[k]:.0f}", weights[:, k] * z[k]) for k in units)
    return _Reasons((weights @ slopes * x).T, path), scores


def _constants(graph: Graph, node: Node) -> list[Array]:
    values = [graph.tensors[name].data for name in node.inputs[1:]]
    return [value for value in values if value is not None]


def _projected(graph: Graph, node: Node, x: Array) -> tuple[Array, Array]:
    """Integers of a projection ``(rows,)``, and how they follow x, ``(rows, features)``; a row at
    one of its bounds does not."""
    op = node.op
    assert isinstance(op, Projection)
    weights, bias = _constants(graph, node)
    y = op.rows(x[None], weights, bias)[0].astype(np.float64)
    inside = (y > op.low) & (y < op.high)
    return y, weights / 2.0**op.shift * inside[:, None]


def _gated(graph: Graph, node: Node, x: Array, z: Array, slopes: Array) -> tuple[_Reasons, Array]:
    op = node.op
    assert isinstance(op, GatedTree)
    linear, gates, branch = (value.astype(np.int64) for value in _constants(graph, node))
    scores, path = op.rows(z[None], linear, gates, branch)[0], []
    by_z = np.zeros((linear.shape[1], len(z)))
    at = 0
    while True:
        gate = np.clip(np.floor(gates[at] @ z / 2.0**op.gate_shift), -128, 127)
        by_z += linear[at] * gate[:, None] / 2.0 ** (op.linear_shift + 8)
        added = linear[at] @ z * gate / 2.0 ** (op.linear_shift + 8)
        text = f"node {at}, gate {' '.join(f'{value / 128:+.2f}' for value in gate)}"
        if at >= len(branch):
            path.append((text, added))
            return _Reasons((by_z @ slopes * x).T, tuple(path)), scores
        side = float(branch[at] @ z)
        path.append((f"{text}, turn {side:+.0f} {'>' if side > 0 else '<='} 0", added))
        at = 2 * at + 1 + (side > 0)


def _prototypes(
    graph: Graph, first: Node, node: Node, x: Array, z: Array
) -> tuple[_Reasons, Array]:
    op = node.op
    assert isinstance(op, Prototypes)
    places, votes, table = (value.astype(np.float64) for value in _constants(graph, node))
    scores = op.rows(z[None], places, votes, table)[0]
    squares = np.square(z - places).sum(1)
    near = table[np.minimum(squares.astype(np.int64) >> op.shift, len(table) - 1)]
    path = []
    for k in np.argsort(squares, kind="stable"):
        away = squares[k] ** 0.5 / 2**FRACTION
        if (added := near[k] * votes[k]).any():
            path.append((f"prototype {k} at distance {away:.3g}, near {near[k] / 255:.2f}", added))
    decay = _decay(table, op.shift)
    gradient = np.zeros((votes.shape[1], len(x)))
    for step in range(STEPS):
        here, slopes = _projected(graph, first, np.rint(x * (step + 0.5) / STEPS))
        offset = here - places
        by_place = -2 * decay * 255 * np.exp(-decay * np.square(offset).sum(1))
        gradient += (votes * by_place[:, None]).T @ offset @ slopes / STEPS
    return _Reasons((gradient * x).T, tuple(path)), scores


def _decay(table: Array, shift: int) -> float:
    """γ² of ``table[i] = 255 exp(-γ² r)``, by least squares over its logarithms."""
    known = np.nonzero(table > 20)[0]
    middles = (known + (0.5 if shift else 0.0)) * 2.0**shift
    logs = np.log(255 / table[known])
    return float(middles @ logs / max(float(middles @ middles), 1.0))
