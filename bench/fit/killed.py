"""A search that is killed at random moments ends as one that nobody disturbs.

``python bench/fit/killed.py [--kills 10]`` runs the same search twice on the embedded digits: once
in peace, once with ``kill -9`` at random moments and ``--resume`` after each. Designs, scores,
weights and integers must be equal.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from netsuke.ir import load_graph
from netsuke.ops import OPERATORS

SEARCH = """
import sys
from netsuke import api
from netsuke.devices import Limits
from netsuke.train import Recipe
api.fit("lenet?size=8&width=0.5", "nucleo-f446re", "digits", Limits(ram=400, max_drop=20),
        epochs=6, designs=9, out=sys.argv[1], resume=True, recipe=Recipe(threads=1, lr=3e-3))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = Path(folder, "calm"), Path(folder, "killed")
        start = time.monotonic()
        subprocess.run([sys.executable, "-c", SEARCH, str(calm)], check=True)
        whole = time.monotonic() - start
        print(f"undisturbed: {whole:.0f} s")
        done = 0
        while done < options.kills:
            process = subprocess.Popen([sys.executable, "-c", SEARCH, str(killed)])
            # Moments over the whole run: the later ones are reached because nothing is lost.
            time.sleep(rng.uniform(0.15, 0.6) * whole)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
            print(f"  kill -9 number {done}: {len(list(killed.rglob('*.nsk')))} graphs kept")
        subprocess.run([sys.executable, "-c", SEARCH, str(killed)], check=True)
        same = compare(calm, killed)
    print(
        f"{done} kills; "
        + "; ".join(f"{name}: {'equal' if s else 'DIFFERENT'}" for name, s in same.items())
    )
    sys.exit(0 if all(same.values()) else 1)


def compare(calm: Path, killed: Path) -> dict[str, bool]:
    """What two finished runs have in common."""
    first, second = (json.loads((run / "result.json").read_text()) for run in (calm, killed))
    firmware = [(run / "firmware" / "model.c").read_bytes() for run in (calm, killed)]
    weights = [
        load_graph((run / "small.nsk").read_bytes(), OPERATORS).fingerprint()
        for run in (calm, killed)
    ]
    return {
        "design": first["design"] == second["design"],
        "scores of all designs": first["attempts"] == second["attempts"],
        "weights": weights[0] == weights[1],
        "C": firmware[0] == firmware[1],
        "verdict": all(first[name] == second[name] for name in ("metric", "drop", "flash", "ram")),
    }


if __name__ == "__main__":
    main()
