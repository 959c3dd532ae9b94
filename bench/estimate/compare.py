"""The estimator against the machine: every recorded cell, calibration and validation apart.

    python bench/estimate/compare.py

Needs no machine: what it measured is in ``cells.json``. Beside the result stands what a person had
before: the peak of the same kind of process on a PC taken for that of the board, 8 % off (620.57
against 573.70 MB).
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fit import predict
from record import RECORDED

from netsuke.profile.estimate.table import entry

BEFORE = 100 * (620.57 / 573.70 - 1)
"""Percent by which the figure of the PC was off."""


def rows(cells: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float, float, float]]:
    """(cell, expected bytes, upper bound in bytes, error in percent)."""
    found = []
    for cell in cells:
        made = predict(cell, entry(cell["runtime"]))
        error = 100 * (made.expected / cell["hwm"] - 1)
        found.append((cell, made.expected, made.high, error))
    return found


def main() -> int:
    cells = json.loads(RECORDED.read_text(encoding="utf-8"))["cells"]
    for title, wanted in (("calibration", True), ("validation", False)):
        table = rows([cell for cell in cells if cell["calibrates"] is wanted])
        if not table:
            continue
        print(f"{title}: {len(table)} cells (MB)\n   truth  expected     error   bound")
        for cell, expected, high, error in table:
            mark = "" if high >= cell["hwm"] else "  BELOW THE TRUTH"
            print(
                f"{cell['hwm'] / 1e6:8.2f}  {expected / 1e6:8.2f}  {error:+7.2f} %  "
                f"{high / 1e6:6.1f}  {cell['id']}{mark}"
            )
        for runtime in ("onnxruntime", "litert", "torch", ""):
            some = [row for row in table if row[0]["runtime"] == runtime or not runtime]
            if some:
                errors = [abs(row[3]) for row in some]
                below = sum(row[2] < row[0]["hwm"] for row in some)
                wide = statistics.median(row[2] / row[0]["hwm"] for row in some)
                print(
                    f"  {runtime or 'all':12s} {len(some):2d} cells: "
                    f"median {statistics.median(errors):.2f} %, "
                    f"worst {max(errors):.2f} %, bound below the truth in {below}, "
                    f"bound / truth {wide:.3f} (median)"
                )
        print()
    print(f"before: the PC's figure for the board's, {BEFORE:.1f} % off")
    return 0


if __name__ == "__main__":
    sys.exit(main())
