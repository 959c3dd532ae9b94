"""The experiment with a CNN on MNIST: padding and evaluation against memory, time and accuracy.

    python bench/profile/mnist.py --data ../shared/data/mnist [--steps 2000] [--repeat 3]
        [--record] [--skip-search]

1. Wall time, peaks, accuracy of three configurations (`examples/mnist_memory`): tables 6 to 11 of
   the document whose experiment this is, and its ratios beside ours.
2. What a search finds without being told (`--limit least`): peak above the process's base against
   that of the naive run; the goal is 5 %, the document's 11.06 % are of whole peaks.
3. Why peaks are not sampled: a transient of 400 MB, its true peak and what samples say.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import netsuke as nk
from netsuke.cli.profile_text import limit_text, text
from netsuke.profile import Job, Profile, observe
from netsuke.profile.limit import Task, hold_limit
from netsuke.profile.variants import read_variants

ROOT = Path(__file__).parents[2]
VARIANTS = ROOT / "examples" / "mnist_memory" / "variants.toml"
RECORD = Path(__file__).parent / "results.json"
DOCUMENT = {
    "peak_mb": (5610.50, 2305.02, 620.57),
    "ratio": (1.0, 0.4108, 0.1106),
    "accuracy": (0.9768, 0.9769, 0.9781),
    "whole_s": (130.17, 60.86, 60.62),
}
"""Published for TensorFlow 1.11 on an Intel Core i5-6500, sampled once a second."""
TRANSIENT = """
import time
import numpy as np
time.sleep(0.5)
for _ in range(5):
    held = np.ones(50_000_000)
    del held
    time.sleep(0.4)
"""


def say(now: str) -> None:
    print(now, file=sys.stderr, flush=True)


def configurations(data: str, steps: int, repeat: int) -> list[Profile]:
    """The three configurations of the document."""
    _, jobs = read_variants(VARIANTS, repeat, None, ["--steps", str(steps), "--data", data])
    return [observe(job, say=say) for job in jobs]


def show_configurations(profiles: list[Profile]) -> None:
    print(text(profiles))
    base = min(run.phases[0].peak for profile in profiles for run in profile.runs)
    first = profiles[0].peak
    print("\nBeside the document (peak of the whole process against the first configuration)")
    for index, profile in enumerate(profiles):
        above = (profile.peak - base) / (first - base)
        print(
            f"  {profile.name:32s} {profile.peak / first:8.2%} here, "
            f"{DOCUMENT['ratio'][index]:8.2%} there; above the loaded data {above:8.2%} here"
        )


def transient(interval: float) -> dict[str, float]:
    """True and sampled peak of a run with short transients (bytes)."""
    job = Job((sys.executable, "-c", TRANSIENT), "transient", repeat=1, interval=interval)
    run = observe(job).runs[0]
    return {"interval": interval, "true": run.peak, "sampled": run.sampled_peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("NETSUKE_DATA", "../shared/data"))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--skip-search", action="store_true")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    folder = Path(options.data)
    folder = folder / "mnist" if (folder / "mnist").is_dir() else folder
    data = str(folder.resolve()) if folder.is_dir() else options.data
    found: dict[str, Any] = {"data": folder.name, "steps": options.steps, "repeat": options.repeat}

    found["transient"] = [transient(interval) for interval in (1.0, 0.1, 0.01)]
    print("A transient of 400 MB: true peak, and the largest sample")
    for row in found["transient"]:
        print(
            f"  every {row['interval']:5g} s: {row['true'] / 1e6:8.2f} MB true, "
            f"{row['sampled'] / 1e6:8.2f} MB sampled ({row['sampled'] / row['true']:.1%})"
        )
    profiles = configurations(data, options.steps, options.repeat)
    show_configurations(profiles)
    found["configurations"] = [_small(profile) for profile in profiles]
    if not options.skip_search:
        task = Task(steps=options.steps)
        dataset = nk.data(data)
        graph = nk.load("mnist_cnn", optimize=False)
        best = hold_limit(graph, dataset, None, task, compare=True, say=say)
        print(limit_text(best, task, len(dataset.test)))
        found["least"] = best.record() | {
            "peak": best.profile.peak,
            "accuracy": best.profile.metric("accuracy").mean,
            "naive_accuracy": best.naive.metric("accuracy").mean if best.naive else None,
        }
    if options.record:
        RECORD.write_text(json.dumps(found, indent=1) + "\n")


def _small(profile: Profile) -> dict[str, Any]:
    """The figures without the samples."""
    bare = replace(profile, runs=tuple(replace(run, samples=()) for run in profile.runs))
    fields = bare.record()
    del fields["runs"]
    return fields | {"command": Path(fields["command"][1]).name}


if __name__ == "__main__":
    main()
