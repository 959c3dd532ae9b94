"""A search that is killed at random moments ends as one that nobody disturbs.

``python bench/fit/killed.py [--kills 10]`` runs the same search twice on the embedded digits: once
in peace, once with ``kill -9`` at random moments and ``--resume`` after each. Designs, scores,
weights and integers must be equal. A life ends a random time after it has kept
something, on average half of what the undisturbed run took from its first design on, over the
number of kills; so the run is not through before the last of them.
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
        epochs=30, designs=27, out=sys.argv[1], resume=True, recipe=Recipe(threads=1, lr=3e-3))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = Path(folder, "calm"), Path(folder, "killed")
        begun, whole = undisturbed(calm)
        print(f"undisturbed: {whole:.0f} s, of which {begun:.0f} s until a design is kept")
        done = 0
        while done < options.kills:
            process = subprocess.Popen([sys.executable, "-c", SEARCH, str(killed)])
            wait_for_news(killed, process)
            time.sleep(rng.uniform(0.0, 1.0) * (whole - begun) / options.kills)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
            kept = len(list(killed.rglob("*.nsk")))
            print(f"  kill -9 number {done}: {kept} graphs kept", flush=True)
        subprocess.run([sys.executable, "-c", SEARCH, str(killed)], check=True)
        same = compare(calm, killed)
    print(
        f"{done} kills; "
        + "; ".join(f"{name}: {'equal' if s else 'DIFFERENT'}" for name, s in same.items())
    )
    sys.exit(0 if all(same.values()) else 1)


def undisturbed(folder: Path) -> tuple[float, float]:
    """Seconds until the first design is kept, and of the whole run."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", SEARCH, str(folder)])
    while process.poll() is None and not any(folder.glob("designs/*.nsk")):
        time.sleep(0.05)
    begun = time.monotonic() - start
    if process.wait():
        raise SystemExit("the undisturbed run failed")
    return begun, time.monotonic() - start


def wait_for_news(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Return when the process has written something into the folder, or ended."""
    born = time.time()
    while process.poll() is None:
        if any(path.stat().st_mtime > born for path in folder.glob("**/*.nsk")):
            return
        time.sleep(0.05)


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
