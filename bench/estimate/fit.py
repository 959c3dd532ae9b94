"""Fits the table of the package to the calibration cells, and to nothing else.

    python bench/estimate/fit.py

For each runtime: its base (mean of the calibration cells), one correction in bytes for loading and
one for running, and the deviation of what they leave over. Seven numbers a runtime, no more.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))

from machine import WHEELS
from record import RECORDED

from netsuke.profile.estimate.account import Account, Moment
from netsuke.profile.estimate.estimate import assemble
from netsuke.profile.estimate.result import Estimate, Part
from netsuke.profile.estimate.table import TABLE, Entry

PACKAGES = {"onnxruntime": "onnxruntime", "litert": "ai-edge-litert", "torch": "torch"}
NOISE = 0.01
"""Share of the base below which no deviation is believed: the base itself varies from boot to boot,
with the pages that the system's cache happens to hold."""
INSTALLED = {"onnxruntime": 138_000_000, "litert": 114_000_000, "torch": 602_000_000}
"""Bytes of the wheels with all they need, NumPy included, as installed on the machine."""
MACHINE = {
    "what": "qemu-system-aarch64 -M virt -cpu cortex-a53 -smp 1 -m 1024 (TCG)",
    "system": "Debian bookworm, Linux 6.1 cloud-arm64, glibc 2.36, Python 3.11",
    "memory_total": 1_028_849_664,
    "memory_available": 970_903_552,
    "page": 4096,
    "huge_pages": True,
    "wheels": list(WHEELS),
}


def account_of(cell: dict[str, Any]) -> Account:
    """A recorded account."""
    stored = cell["account"]
    return Account(
        tuple(Moment(**moment) for moment in stored["moments"]),
        tuple(Part(**part) for part in stored["parts"]),
        stored["slack"],
    )


def measured(cell: dict[str, Any], kind: str) -> int:
    """Bytes: the most while loading, or what is resident after the last run (its peak, if more)."""
    stages = cell["stages"]
    if kind == "load":
        return int(stages["load"]["hwm"])
    runs = [stage for stage in stages if stage.startswith("run")]
    before = stages["load"]["hwm"]
    last = stages[runs[-1]]
    return int(last["hwm"] if last["hwm"] > before else last["rss"])


def fit(runtime: str, cells: Sequence[dict[str, Any]]) -> Entry:
    """The table's entry of a runtime, from its calibration cells."""
    used = [cell for cell in cells if cell["runtime"] == runtime and cell["calibrates"]]
    base = round(statistics.fmean(cell["stages"]["import"]["rss"] for cell in used))
    left: dict[str, list[float]] = {}
    for cell in used:
        for moment in account_of(cell).moments:
            over = measured(cell, moment.kind) - base - moment.size
            left.setdefault(moment.kind, []).append(over)
    corrections = {kind: round(statistics.fmean(over)) for kind, over in left.items()}
    wheel = next(w for w in WHEELS if w.startswith(PACKAGES[runtime] + "=="))
    row = Entry(runtime, wheel.partition("==")[2], "a64", base, corrections, 0.0, 0.0, len(used))
    errors = [(predict(cell, row).expected - cell["hwm"], cell["hwm"] - base) for cell in used]
    free = max(1, len(used) - 2)
    deviation = math.sqrt(sum(error**2 for error, _ in errors) / free)
    deviation = max(deviation, NOISE * base)
    share = math.sqrt(
        sum((error / above) ** 2 for error, above in errors if above > base / 2) / free
    )
    # One-sided 99.87 %, and the mean of the next cell is as uncertain as that of those before it.
    quantile = float(stats.t.ppf(0.99865, free)) * math.sqrt(1 + 1 / len(used))
    return replace(
        row, deviation=round(deviation), share=round(share, 4), quantile=round(quantile, 2)
    )


def predict(cell: dict[str, Any], row: Entry) -> Estimate:
    """The estimate of a recorded cell."""
    return assemble(
        *(account_of(cell), row, cell["model"], "rpi-3b", cell["phase"], cell["batch"]),
        cell["threads"],
    )


def main() -> int:
    cells = json.loads(RECORDED.read_text(encoding="utf-8"))["cells"]
    rows = [
        fit(runtime, cells)
        for runtime in PACKAGES
        if any(cell["runtime"] == runtime and cell["calibrates"] for cell in cells)
    ]
    table = {
        "machines": {"a64": MACHINE},
        "installed": INSTALLED,
        "entries": [asdict(row) for row in rows],
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
