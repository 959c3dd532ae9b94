"""What `netsuke fit` does with a table of numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from netsuke.cli.output import count, size
from netsuke.errors import UsageError

if TYPE_CHECKING:
    from netsuke.estimators.search import TableFit

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def is_table(text: str) -> bool:
    """Whether an argument names a table of numbers."""
    return text.split("?", maxsplit=1)[0].lower().endswith(TABLES)


def fit_a_table(
    spec: str,
    target: str | None,
    task: str | None,
    device: str,
    limits: tuple[int | None, int | None, int | None],
    effort: str,
    seed: int,
    out: Path,
    resume: bool,
    jobs: int,
) -> TableFit:
    """Read a table and search; `limits` are flash, RAM and cycles."""
    from netsuke.api import data as load_data
    from netsuke.api import fit_table

    if task not in (None, "classification", "regression"):
        raise UsageError(f"--task {task!r} is neither classification nor regression")
    for name, value in (("label", target), ("task", task)):
        if value is not None:
            spec += f"{'&' if '?' in spec else '?'}{name}={quote(value)}"
    dataset = load_data(spec)
    parts = dataset.parts.values()
    x = np.concatenate([part.stored[part.indices] for part in parts]).astype(np.float64)
    y = np.concatenate([part.labels for part in parts])
    labels = np.array(dataset.classes)[y] if dataset.classes else y
    return fit_table(
        x.reshape(len(x), -1),
        labels,
        device,
        *limits,
        effort=effort,
        task=dataset.task,
        names=dataset.features.get("columns", ()),
        seed=seed,
        out=out,
        resume=resume,
        jobs=jobs,
        progress=sys.stderr.isatty(),
    )


def show_table_fit(result: TableFit, out: Path) -> None:
    """Print the winner and the front."""
    bound = f" (at least {result.bound:.2f} with 95 % confidence)" if result.bound else ""
    places = ", ".join(result.proved_on)
    print(
        f"{result.name}: {result.metric} {result.score:.2f} on {result.sealed} sealed rows{bound}"
    )
    print(f"  flash     {size(result.sizes.flash)}  ({result.sizes_source})")
    print(f"  RAM       {size(result.sizes.ram)}")
    print(f"  cycles    {count(result.sizes.cycles)}  (at most {count(result.slowest)})")
    print(f"  proved    every sealed row is equal in Python and on: {places}")
    print(f"  artifact  {out / 'firmware'}")
    print(f"The front of {len(result.designs)} designs ({result.metric} by cross-validation):")
    for design in result.designs:
        if design.name in result.front and design.trial.sizes:
            sizes = design.trial.sizes
            print(
                f"  {design.trial.mean:6.2f}  {size(sizes.flash):>9}  {size(sizes.ram):>7}  "
                f"{count(sizes.cycles):>8} cycles  {design.name}"
            )
