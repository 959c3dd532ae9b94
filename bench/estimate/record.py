"""Puts what the machine measured, and what this machine makes of each cell, into ``cells.json``.

    python bench/estimate/record.py FOLDER

FOLDER is that of `oracle.py`. The account of a cell (what the estimator knows of it before the
table's corrections) is worked out here, by one run on this machine; accounts that are there already
are kept unless `--again` is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "hosts"))
sys.path.insert(0, str(Path(__file__).parent))

from cells import CELLS, Cell
from oracle import input_shape, model_file

from netsuke.profile.estimate import lite_rt, onnx_runtime, pytorch
from netsuke.profile.estimate.account import Account

RECORDED = Path(__file__).parent / "cells.json"
SHORT = ("rss", "hwm", "anon")


def account_of(cell: Cell, models: Path) -> Account:
    """What the estimator knows of a cell."""
    if cell.runtime == "torch":
        from torch_nets import network

        shape = input_shape(cell, None)
        traced = pytorch.load(network(cell.model), cell.batch, cell.phase, shape[1:])
        return pytorch.account(traced, cell.phase)
    path = model_file(cell, models)
    if cell.runtime == "litert":
        return lite_rt.account(lite_rt.load(path, None, 1)[0])
    loaded = onnx_runtime.load(path, [input_shape(cell, path)], 1)
    return onnx_runtime.account(loaded, True, arena=cell.arena)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--again", default="", help="renew accounts of cells whose id has this")
    options = parser.parse_args()
    lines = (options.folder / "arm.jsonl").read_text().splitlines()
    arm = {found["id"]: found for found in map(json.loads, lines)}
    old = json.loads(RECORDED.read_text())["cells"] if RECORDED.exists() else []
    known = {entry["id"]: entry for entry in old}
    cells: list[dict[str, Any]] = []
    for cell in CELLS:
        if cell.id not in arm or arm[cell.id]["error"]:
            continue
        measured = {s["stage"]: {key: s[key] for key in SHORT} for s in arm[cell.id]["stages"]}
        entry = {**cell.record(), "family": cell.family, "calibrates": cell.calibrates}
        entry |= {"hwm": arm[cell.id]["hwm"], "stages": measured}
        before = known.get(cell.id, {}).get("account")
        if before is None or (options.again and options.again in cell.id):
            before = asdict(account_of(cell, options.folder / "models"))
            print(f"{cell.id}: accounted for", file=sys.stderr)
        cells.append({**entry, "account": before})
        _write(cells + [known[k] for k in known if k not in {c["id"] for c in cells}])
    return 0


def _write(cells: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(cell) for cell in cells)
    RECORDED.write_text('{"cells": [\n' + lines + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
