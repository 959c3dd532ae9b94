"""Write a table to try `netsuke fit` on: 178 wines, 13 measurements each, and their cultivar.

Run it as ``python examples/table/wine.py wine.csv``. The rows are scikit-learn's copy of the UCI
wine data (Forina et al. 1988).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_wine


def main() -> None:
    wines = load_wine()
    with Path(sys.argv[1] if len(sys.argv) > 1 else "wine.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*wines.feature_names, "cultivar"])
        for row, cultivar in zip(wines.data, wines.target, strict=True):
            table.writerow([*row, wines.target_names[cultivar]])


if __name__ == "__main__":
    main()
