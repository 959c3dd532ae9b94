"""Damage model files and count what the importer answers.

    python bench/fuzz.py [--mutants 10000] [--seed 1] [MODEL ...]

Without MODEL the small models of the tests and the real ones (`NETSUKE_DATA`) are damaged. Every
damaged file must give a graph or one of netsuke's errors; any other exception, or more than
`--seconds` for one file, fails. Memory is limited to 4 GiB while this runs.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "frontend"))

from mutations import contradict, describing, mutant  # noqa: E402

from netsuke.errors import NetsukeError  # noqa: E402
from netsuke.frontend.tflite import parse_tflite  # noqa: E402


def originals(models: list[Path]) -> list[bytes]:
    if models:
        return [path.read_bytes() for path in models]
    from tflite_cases import CASES

    folder = Path(os.environ.get("NETSUKE_DATA") or ROOT.parent / "shared" / "data")
    real = sorted(folder.glob("*/*.tflite"))
    print(f"{len(CASES)} small models, {len(real)} real ones from {folder}", file=sys.stderr)
    return [make() for make in CASES.values()] + [path.read_bytes() for path in real]


def damaged(seed: int, number: int, files: list[bytes], places: list[list[int]]) -> bytes:
    """Three of four files are damaged in their bytes, the fourth in what its parts say."""
    if number % 4 == 3:
        rng = random.Random(f"{seed}/{number}")
        small = [data for data in files if len(data) < 8192] or files
        try:
            return contradict(rng, rng.choice(small))
        except (TypeError, ValueError, IndexError):
            pass  # the schema's own writer refuses such a number
    return mutant(seed, number, files, places)[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    limit_memory()
    files = originals(arguments.models)
    places = [describing(data) for data in files]
    outcomes: Counter[str] = Counter()
    failures, slowest = 0, 0.0
    for number in range(arguments.mutants):
        data = damaged(arguments.seed, number, files, places)
        start = time.perf_counter()
        try:
            parse_tflite(data)
            outcomes["graph"] += 1
        except NetsukeError as error:
            outcomes[type(error).__name__] += 1
        except Exception as error:
            outcomes[f"CRASH {type(error).__name__}"] += 1
            failures += 1
            print(f"mutant {number}: {type(error).__name__}: {error}", file=sys.stderr)
        slowest = max(slowest, time.perf_counter() - start)
    for outcome, count in outcomes.most_common():
        print(f"{count:8,}  {outcome}")
    print(f"slowest file {slowest:.2f} s; {failures} failures")
    return 1 if failures or slowest > arguments.seconds else 0


def limit_memory() -> None:
    """4 GiB of address space, where the system can limit it."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


if __name__ == "__main__":
    sys.exit(main())
