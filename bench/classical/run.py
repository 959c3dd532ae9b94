"""Classical models on an Arduino UNO: netsuke beside emlearn, m2cgen and micromlgen.

    pip install -e '.[bench]'
    python bench/classical/run.py [--only digits/forest] [--json results.json]

Every row of every test set runs on an emulated ATmega328P (simavr, cycle-exact), by the same
compiler, flags and harness for all tools. "agree" is how often the device says what the estimator
says in Python; "equal" for netsuke is that the device and `interpret` give the same bits.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers import Refused, by_emlearn, by_m2cgen, by_micromlgen
from rig import UNO, Measured, measure, tools_missing
from suite import Model, last_step, models

import netsuke as nk
from netsuke.errors import NetsukeError
from netsuke.ir import interpret_batch
from netsuke.verify.simavr import SimavrModel

PEERS = {"emlearn": by_emlearn, "m2cgen": by_m2cgen, "micromlgen": by_micromlgen}
HEAD = ("tool", "fits", "flash", "RAM", "stack", "cycles", "acc %", "agree %", "note")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; figures are bytes, cycles and per cent."""

    data: str
    model: str
    tool: str
    fits: bool
    flash: int | None
    ram: int | None
    stack: int | None
    cycles: float | None
    accuracy: float | None
    agreement: float | None
    equal: bool | None
    note: str


def rows(model: Model) -> Iterator[Row]:
    """Everybody's figures for one model."""
    yield _row(model, "netsuke", *_ours(model))
    estimator, features = last_step(model)
    integers = bool((features == np.rint(features)).all())
    for name, peer in PEERS.items():
        for variant in peer.VARIANTS:
            try:
                firmware = peer.firmware(estimator, variant, integers)
            except Refused as refusal:
                yield _row(model, f"{name} {variant}", Measured(False, why=str(refusal)), None)
                continue
            yield _row(model, f"{name} {variant}", measure(firmware, features), None)


def _ours(model: Model) -> tuple[Measured, bool | None]:
    try:
        artifact = nk.compile(model.estimator, "arduino-uno", model.split.train_x)
    except NetsukeError as error:
        return Measured(False, why=str(error)[:80]), None
    graph = artifact.plan.graph
    quant = graph.tensors[graph.inputs[0]].quant
    assert quant is not None
    stored = np.stack([quant.quantize(row) for row in model.split.test_x.astype(np.float32)])
    device = SimavrModel(artifact)
    (output,) = device.run(stored)
    equal = bool((output == interpret_batch(graph, stored)[0]).all())
    sizes, stack = device.image.sizes, device.stack or 0
    ram = device.ram - stack
    cycles = float(np.mean(device.cycles))
    assert device.image.core.name == UNO
    return Measured(True, sizes.flash, ram, stack, cycles, output[:, 0].astype(int)), equal


def _row(model: Model, tool: str, found: Measured, equal: bool | None) -> Row:
    accuracy = agreement = None
    if found.classes is not None:
        said = np.asarray(model.estimator.classes_)[
            np.clip(found.classes, 0, len(model.estimator.classes_) - 1)
        ]
        accuracy = 100 * float((said == model.split.test_y).mean())
        agreement = 100 * float((said == model.estimator.predict(model.split.test_x)).mean())
    return Row(
        model.split.name,
        model.name,
        tool,
        found.fits,
        found.flash,
        found.ram,
        found.stack,
        found.cycles,
        accuracy,
        agreement,
        equal,
        found.why,
    )


def table(found: list[Row]) -> str:
    """Markdown, a section for each model."""
    lines: list[str] = []
    for row in found:
        title = f"\n### {row.data}: {row.model}"
        if title not in lines:
            lines += [title, "", f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
        figures = (row.flash, row.ram, row.stack, row.cycles)
        shown = ["" if figure is None else f"{figure:,.0f}" for figure in figures]
        rates = ["" if v is None else f"{v:.2f}" for v in (row.accuracy, row.agreement)]
        note = {True: "every bit equal", False: "NOT EQUAL", None: row.note}[row.equal]
        cells = [row.tool, "yes" if row.fits else "**no**", *shown, *rates, note]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="models whose 'data set/name' contains this")
    parser.add_argument("--json", type=Path, help="file to write")
    options = parser.parse_args(arguments)
    missing = tools_missing()
    if missing:
        print(missing, file=sys.stderr)
        return 2
    warnings.simplefilter("ignore")
    found: list[Row] = []
    for model in models(options.only):
        for row in rows(model):
            print(f"{row.data}/{row.model}: {row.tool}", file=sys.stderr)
            found.append(row)
    print(table(found))
    if options.json:
        records: list[dict[str, Any]] = [asdict(row) for row in found]
        options.json.write_text(json.dumps(records, indent=1) + "\n")
    return 0 if all(row.equal is not False for row in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
