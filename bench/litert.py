"""Compare imported TensorFlow Lite models with LiteRT, output by output.

    python bench/litert.py [--inputs 200] [--seed 0] [MODEL ...]

Without MODEL the real models of `NETSUKE_DATA` are compared. Integer outputs are counted that
differ at all; of real outputs the largest difference is printed. LiteRT runs its default
optimized kernels without any delegate.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "frontend"))

from tflite_models import LiteRT, run_graph, stored  # noqa: E402

from netsuke.frontend import load  # noqa: E402


def compare(path: Path, inputs: int, seed: int) -> bool:
    """Print one line about a model; whether its integers are equal."""
    graph, oracle = load(path), LiteRT(path.read_bytes())
    generator = np.random.default_rng(seed)
    outputs = different = 0
    largest = 0.0
    for _ in range(inputs):
        feeds = oracle.random(generator)
        for name, ours, theirs in zip(
            graph.outputs, run_graph(graph, feeds), oracle.run(feeds), strict=True
        ):
            gap = np.abs(ours.astype(np.float64) - stored(graph, name, theirs))
            outputs += gap.size
            different += int((gap > 0).sum())
            largest = max(largest, float(gap.max()))
    integer = all(graph.tensors[name].dtype != "float32" for name in graph.outputs)
    count = f"{different:,} of {outputs:,} outputs differ, " if integer else ""
    print(f"{path.name}: {inputs} inputs, {count}largest difference {largest:.3g}")
    return different == 0 if integer else True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(os.environ.get("NETSUKE_DATA") or ROOT.parent / "shared" / "data")
    models = arguments.models or sorted(folder.glob("*/*.tflite"))
    equal = [compare(path, arguments.inputs, arguments.seed) for path in models]
    return 0 if all(equal) else 1


if __name__ == "__main__":
    sys.exit(main())
