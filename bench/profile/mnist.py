"""The experiment with a CNN on MNIST: padding and evaluation against memory, time and accuracy.

    python bench/profile/mnist.py --data ../shared/data/mnist [--steps 2000] [--repeat 3]
        [--parts transient configurations remedies least] [--record] [--out FOLDER]

1. Why peaks are not sampled: a short transient, its true peak and what samples say.
2. Wall time, peaks, accuracy of three configurations (`examples/mnist_memory`), each run with a
   seed of its own: tables 6 to 11 of the document whose experiment this is, its figures beside.
3. The document's remedies one by one, for a network that netsuke trains and evaluates: ten parts,
   no padding, and data that stay in their file with a lean optimizer.
4. What a search finds without being told (`--limit least`): peak above the process's base against
   that of the naive run; the goal is 5 %, the document's 11.06 % are of whole peaks.

Each part, and each run of the configurations, is recorded in `results.json` as soon as it is done
(`--record`); the other parts stay.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from document import once_a_second, tables

import netsuke as nk
from netsuke.cli.profile_text import limit_text, text
from netsuke.files import write_whole
from netsuke.profile import Job, Profile, observe
from netsuke.profile.limit import Setting, Task, hold_limit, run_setting
from netsuke.profile.result import NOTICED, record
from netsuke.profile.variants import read_variants
from netsuke.report import profile_page

HERE = Path(__file__).parent
VARIANTS = HERE.parents[1] / "examples" / "mnist_memory" / "variants.toml"
RECORD = HERE / "results.json"
PARTS = ("transient", "configurations", "remedies", "least")
REMEDIES = (
    Setting(),
    Setting(chunk=1000),
    Setting(chunk=1000, valid=True),
    Setting(chunk=1000, valid=True, lean=True),
)


def say(now: str) -> None:
    print(now, file=sys.stderr, flush=True)


def transient(options: argparse.Namespace) -> Iterator[list[dict[str, Any]]]:
    """True and sampled peaks (bytes) of ten runs with a short transient, at three intervals."""
    found = []
    print("A transient of 40 MB: true peak, and the largest sample")
    for interval in (1.0, 0.1, 0.01):
        command = (sys.executable, str(HERE / "transient.py"))
        runs = observe(Job(command, "transient", repeat=10, interval=interval)).runs
        row = {
            "interval": interval,
            "true": [run.peak for run in runs],
            "sampled": [run.sampled_peak for run in runs],
            "missed_in": sum(run.missed >= NOTICED for run in runs),
        }
        print(
            f"  every {interval:5g} s: {_range(row['true'])} MB true, {_range(row['sampled'])} MB "
            f"sampled; missed in {row['missed_in']} of {len(runs)} runs"
        )
        found.append(row)
    yield found


def _range(sizes: list[int]) -> str:
    return f"{min(sizes) / 1e6:.1f} to {max(sizes) / 1e6:.1f}"


def configurations(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The three configurations of the document, in turns; told after each run."""
    found: dict[str, Profile] = {}
    for turn in range(options.repeat):
        behind = ["--steps", str(options.steps), "--data", options.data, "--seed", str(turn)]
        title, jobs = read_variants(VARIANTS, 1, None, behind)
        for job in jobs:
            say(f"turn {turn + 1} of {options.repeat}")
            new = observe(job, say=say)
            runs = found[job.name].runs if job.name in found else ()
            found[job.name] = replace(new, runs=(*runs, *new.runs))
            if options.out is not None:
                _write_page(options.out, record(found.values(), title=title))
            done = {"data": Path(options.data).name, "steps": options.steps}
            yield done | {"variants": [_small(profile) for profile in found.values()]}
            if not new.done:
                break
    profiles = list(found.values())
    print(text(profiles))
    if len(profiles) == len(jobs) and all(profile.done for profile in profiles):
        print(tables(profiles))


def _write_page(folder: Path, whole: dict[str, Any]) -> None:
    write_whole(folder / "profile.json", json.dumps(whole).encode())
    write_whole(folder / "report.html", profile_page(whole).encode())


def _small(profile: Profile) -> dict[str, Any]:
    """The figures without samples, paths and each single phase."""
    bare = replace(profile, runs=tuple(replace(run, samples=()) for run in profile.runs))
    fields = bare.record()
    kept = ("status", "wall", "cpu", "peak", "sampled_peak", "metrics")
    fields["runs"] = [{name: run[name] for name in kept} for run in fields["runs"]]
    fields["once_a_second"] = once_a_second(profile)
    del fields["command"]
    return fields


def remedies(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Peaks above the process's base, as remedies are added."""
    task, dataset = Task(steps=options.steps), nk.data(options.data)
    graph = nk.load("mnist_cnn", optimize=False)
    rows: list[dict[str, Any]] = []
    print(f"{task.steps:,} steps; the peak above the process's base")
    for setting in REMEDIES:
        profile = run_setting(graph, dataset, setting, task, say=say)
        (run,) = profile.runs
        base = int(run.metrics["base"])
        above = run.peak - base
        first = rows[0]["above"] if rows else above
        row = {"setting": profile.name, "peak": run.peak, "base": base, "above": above}
        rows.append({**row, "accuracy": run.metrics["accuracy"]})
        print(
            f"  {run.peak / 1e6:7.1f} MB  {100 * above / first:6.2f} %  accuracy "
            f"{run.metrics['accuracy']:.4f}  {profile.name}",
            flush=True,
        )
        yield {"data": Path(options.data).name, "steps": options.steps, "rows": rows}


def least(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What the search finds, and the naive run beside it."""
    task, dataset = Task(steps=options.steps), nk.data(options.data)
    graph = nk.load("mnist_cnn", optimize=False)
    best = hold_limit(graph, dataset, None, task, compare=True, say=say)
    print(limit_text(best, task, len(dataset.test)))
    runs = {"found": best.profile, "naive": best.naive}
    done = {"data": Path(options.data).name, "steps": options.steps}
    yield done | best.record() | {name: _small(p) for name, p in runs.items() if p is not None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("NETSUKE_DATA", "../shared/data"))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--out", type=Path, help="of the page about the three configurations")
    options = parser.parse_args()
    folder = Path(options.data)
    folder = folder / "mnist" if (folder / "mnist").is_dir() else folder
    options.data = str(folder.resolve()) if folder.is_dir() else options.data
    found = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    works = {
        "transient": transient,
        "configurations": configurations,
        "remedies": remedies,
        "least": least,
    }
    for part in options.parts:
        for result in works[part](options):
            found[part] = result
            if options.record:
                write_whole(RECORD, (json.dumps(found, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
