"""From a fitted estimator, or a file of one, to its graph and what people call its outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsuke.estimators.convert import to_graph
from netsuke.estimators.files import load_estimator
from netsuke.ir import Graph


def estimator_graph(
    model: Any, samples: Any = None, trust_pickle: bool = False, vote: str = "soft"
) -> tuple[Graph, dict[str, Any]]:
    """Return the graph of an estimator, and what its manifest says about it.

    Parameters
    ----------
    model
        A fitted estimator, or a file of one.
    samples
        Training rows ``(m, n_features)`` in the person's own units, a data set, or its name.
    trust_pickle
        See `load_estimator`.
    vote
        See `to_graph`.

    Returns
    -------
    tuple
        The graph, and ``estimator``, ``classes`` and ``features`` (names) where there are any.
    """
    if isinstance(model, str | Path):
        model = load_estimator(model, trust_pickle)
    graph = to_graph(model, _rows(samples), vote)
    told: dict[str, Any] = {"estimator": _kind(model)}
    if vote != "soft":
        told["vote"] = vote
    if getattr(model, "classes_", None) is not None and getattr(model.classes_, "ndim", 0) == 1:
        told["classes"] = [str(label) for label in model.classes_]
    if getattr(model, "feature_names_in_", None) is not None:
        told["features"] = [str(name) for name in model.feature_names_in_]
    return graph, told


def _kind(model: Any) -> str:
    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    return " | ".join(step if isinstance(step, str) else type(step).__name__ for step in steps)


def _rows(samples: Any) -> Any:
    """Training rows: arrays and tables as they are, data sets as they are stored."""
    if isinstance(samples, str | Path):
        from netsuke.data import load_data

        samples = load_data(str(samples))
    if not hasattr(samples, "train"):
        return samples
    part = samples.train
    return part.stored[part.indices].reshape(len(part), -1)
