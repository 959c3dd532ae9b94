"""The families of models that are tried, each with designs from small to large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from netsuke.estimators.search.table import Table

Designs = Iterator[tuple[str, Any] | tuple[str, Any, str]]
"""What sets a design apart, its unfitted estimator, and its vote where that is not soft."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A design that may be trained.

    Attributes
    ----------
    family
        A key of `FAMILIES`.
    name
        Unique: the family and what sets the design apart.
    estimator
        Unfitted.
    vote
        See `netsuke.estimators.convert.to_graph`.
    """

    family: str
    name: str
    estimator: Any
    vote: str = "soft"


def candidates(table: Table, flash: int, effort: str, seed: int) -> list[Candidate]:
    """Designs of every family that serves a task, without those of which even the tables exceed
    the flash.

    Parameters
    ----------
    table
        Rows and targets.
    flash
        Bytes that a design may take.
    effort
        A key of `EFFORTS`.
    seed
        Of every estimator.
    """
    budgets = [size for size in EFFORTS[effort] if size <= flash]
    found = []
    for family, designs in FAMILIES.items():
        found += [
            Candidate(family, f"{family} {text}".strip(), estimator, *vote)
            for text, estimator, *vote in designs(table, budgets or [flash], seed)
        ]
    return found


EFFORTS: dict[str, tuple[int, ...]] = {
    "quick": (256, 1024, 4096, 16384),
    "normal": (128, 256, 512, 1024, 2048, 4096, 8192, 16384),
    "thorough": (96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384),
}
"""Bytes of tables for which designs are made."""


def _linear(table: Table, budgets: list[int], seed: int) -> Designs:
    if table.is_classification:
        from netsuke.estimators import TinyLinearClassifier

        yield "", TinyLinearClassifier()
        for size in budgets:
            if size < table.x.shape[1] * len(table.classes):
                yield f"{size} B", TinyLinearClassifier(size)
    else:
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        for alpha in (1e-3, 1.0, 100.0):
            yield f"alpha {alpha:g}", make_pipeline(StandardScaler(), Ridge(alpha=alpha))


def _mlp(table: Table, budgets: list[int], seed: int) -> Designs:
    weights = table.x.shape[1] + max(len(table.classes), 1)
    if table.is_classification:
        from netsuke.estimators import TinyMLPClassifier

        known = 0
        for size in budgets:
            units = min(max(2, 2 * size // weights), 32)  # about half of the weights are kept
            enough = units == known and size > 2 * units * weights
            if 128 <= size <= 4096 and not enough:
                known = units
                yield (
                    f"of {units} units in {size} B",
                    TinyMLPClassifier(size, hidden_size=units, random_state=seed),
                )
        return
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    for units in (2, 4, 8, 16, 32):
        if units * weights <= max(budgets):
            network = MLPRegressor((units,), max_iter=1000, random_state=seed)
            yield f"of {units} units", make_pipeline(StandardScaler(), network)


def _bonsai(table: Table, budgets: list[int], seed: int) -> Designs:
    from netsuke.estimators import BonsaiClassifier, BonsaiRegressor

    model = BonsaiClassifier if table.is_classification else BonsaiRegressor
    for size in budgets:
        if 128 <= size <= 4096:
            depth, projected = (1, 6) if size <= 512 else (2, 8 if size <= 1024 else 12)
            yield (
                f"{size} B",
                model(size, depth=depth, projection_size=projected, random_state=seed),
            )


def _protonn(table: Table, budgets: list[int], seed: int) -> Designs:
    if not table.is_classification:
        return
    from netsuke.estimators import ProtoNNClassifier

    for size in budgets:
        if 256 <= size <= 4096:
            prototypes = min(40, max(2 * len(table.classes), size // 50))
            projected = 5 if size <= 1024 else 8
            yield (
                f"{size} B",
                ProtoNNClassifier(
                    size, prototypes=prototypes, projection_size=projected, random_state=seed
                ),
            )


def _tree(table: Table, budgets: list[int], seed: int) -> Designs:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    model = DecisionTreeClassifier if table.is_classification else DecisionTreeRegressor
    for depth in (2, 4, 6, 8, 12):
        if 3 << (depth - 2) <= max(budgets):
            yield f"of depth {depth}", model(max_depth=depth, random_state=seed)


VOTERS = 20
"""Trees from which a hard vote is tried, too: fewer ones lose more by it than they save."""


def _forest(table: Table, budgets: list[int], seed: int) -> Designs:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor

    shapes = ((5, 4), (10, 4), (10, 6), (10, 8), (20, 6), (20, 8), (30, 8), (50, 8))
    for trees, depth in shapes:
        if trees * min(3 << depth, 4 * len(table.train)) > 8 * max(budgets):
            continue
        options: dict[str, Any] = {
            "n_estimators": trees,
            "max_depth": depth,
            "random_state": seed,
        }
        text = f"of {trees} trees of depth {depth}"
        if table.is_classification:
            yield f"random {text}", RandomForestClassifier(**options)
            yield f"extra {text}", ExtraTreesClassifier(**options)
            if trees >= VOTERS:
                yield f"random {text}, hard vote", RandomForestClassifier(**options), "hard"
                yield f"extra {text}, hard vote", ExtraTreesClassifier(**options), "hard"
        else:
            yield f"random {text}", RandomForestRegressor(**options)


def _refined(table: Table, budgets: list[int], seed: int) -> Designs:
    if not table.is_classification:
        return
    from netsuke.estimators.refined_forest import RefinedForestClassifier

    for size in budgets:
        if size >= 512:
            model = RefinedForestClassifier(
                n_estimators=30, max_depth=8, max_bytes=size, random_state=seed
            )
            yield f"{size} B", model


def _boosting(table: Table, budgets: list[int], seed: int) -> Designs:
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    model = GradientBoostingClassifier if table.is_classification else GradientBoostingRegressor
    outputs = len(table.classes) if len(table.classes) > 2 else 1
    for stages, depth in ((10, 2), (20, 3), (40, 3)):
        if 5 * stages * outputs * (1 << depth) <= max(budgets):
            yield (
                f"{stages} stages of depth {depth}",
                model(n_estimators=stages, max_depth=depth, learning_rate=0.3, random_state=seed),
            )


FAMILIES: dict[str, Callable[[Table, list[int], int], Designs]] = {
    "linear": _linear,
    "tree": _tree,
    "mlp": _mlp,
    "forest": _forest,
    "boosting": _boosting,
    "refined forest": _refined,
    "bonsai": _bonsai,
    "protonn": _protonn,
}
"""Name -> designs for a task and budgets of bytes, cheapest to train first."""
