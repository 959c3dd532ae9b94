"""A program whose memory has one short peak: the largest reading, found in double precision.

netsuke profile -n 10 -- python bench/profile/transient.py
"""

from __future__ import annotations

import time

import numpy as np

import netsuke as nk


def main() -> None:
    with nk.phase("read"):
        readings = np.ones(5_000_000, np.int16)  # 10 MB that stay, seen by everybody
        time.sleep(0.53)
    with nk.phase("scale"):
        scale = 1 / readings.astype(np.float64).max()  # 40 MB more for some ten milliseconds
    with nk.phase("work"):
        time.sleep(0.53)
    print(f"scale: {scale:g}")


if __name__ == "__main__":
    main()
