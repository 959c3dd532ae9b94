"""MLPerf Tiny models on an emulated Cortex-M4: instructions, RAM and flash, beside recorded peers.

Run from the project's root::

    python bench/mcu/run.py                        # all models, every compiler that is here
    python bench/mcu/run.py --model keywords --compiler zig
    python bench/mcu/run.py --record               # make these figures the baseline

The models are read from the folder of real data (``NETSUKE_DATA``, or ``../shared/data``). The
figures are exact and repeatable: executed instructions, not cycles, and no latency. A peer's
figures were measured once, see ``peers.json``; ratios above 1 say how many times more it needs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import netsuke
from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.errors import MissingToolError
from netsuke.ir import interpret_batch
from netsuke.verify.toolchain import target_compiler
from netsuke.verify.unicorn import UnicornModel

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.json"
BOARD = "nucleo-f446re"
MODELS = {
    "keywords": "kws_ref_model.tflite",
    "images": "pretrainedResnet_quant.tflite",
    "wake_words": "vww_96_int8.tflite",
}
COMPILERS = ("zig", "arm-none-eabi-gcc")
PEER = "tflite-micro + CMSIS-NN"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model takes with one compiler.

    Attributes
    ----------
    compiler
        Its own words about its version.
    instructions
        Executed by one inference.
    macs
        Multiply-accumulates of the graph that was compiled.
    arena, stack, code, weights
        Bytes; `code` is all of flash without the weights.
    """

    compiler: str
    instructions: int
    macs: int
    arena: int
    stack: int
    code: int
    weights: int


def data_folder() -> Path:
    """The folder of real data and models."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get("NETSUKE_DATA") or beside)


def measure(model: str, compiler: str) -> Figures:
    """Compile a model, run one sample on the emulator, and return the figures.

    Raises
    ------
    AssertionError
        When the outputs differ from the graph's meaning.
    """
    graph = netsuke.load(data_folder() / "mlperf_tiny" / MODELS[model])
    artifact = compile_graph(graph, device(BOARD))
    emulated = UnicornModel(artifact, compiler=compiler)
    tensor = graph.tensors[graph.inputs[0]]
    rng = np.random.default_rng(0)
    sample = rng.integers(-128, 128, (1, *tensor.shape)).astype(tensor.dtype)
    results = emulated.run(sample)
    meaning = interpret_batch(graph, sample)
    for result, expected in zip(results, meaning, strict=True):
        assert np.array_equal(result, expected), f"{model}: the outputs differ"
    sizes = emulated.image.sizes
    return Figures(
        compiler=target_compiler(compiler).version,
        instructions=emulated.instructions[0],
        macs=graph.macs,
        arena=artifact.plan.arena,
        stack=emulated.stack,
        code=sizes.flash - sizes.weights,
        weights=sizes.weights,
    )


def read_baseline() -> dict[str, dict[str, dict[str, int | str]]]:
    """Recorded figures: model -> compiler -> field."""
    return json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}


def line(model: str, compiler: str, figures: Figures, peer: Mapping[str, int]) -> str:
    """One model and compiler, with ratios to the peer."""
    f = figures
    ram, flash = f.arena + f.stack, f.code + f.weights
    return (
        f"{model:11s} {compiler:18s} {f.instructions:11,d} {f.instructions / f.macs:5.2f} "
        f"{f.arena:7,d} {f.stack:5,d} {f.code:6,d} {f.weights:8,d}   "
        f"{peer['instructions'] / f.instructions:5.2f}x {peer['ram'] / ram:5.2f}x "
        f"{(peer['code'] + peer['model']) / flash:5.2f}x"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", action="append", choices=sorted(MODELS))
    parser.add_argument("--compiler", action="append", choices=COMPILERS)
    parser.add_argument("--record", action="store_true", help="make these figures the baseline")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    options = parser.parse_args()
    peers = json.loads((HERE / "peers.json").read_text(encoding="utf-8"))
    figures = read_baseline()
    header = f"{'':30s} {'instr.':>11s} /MAC   arena stack   code  weights"
    if not options.json:
        print(f"{BOARD}, emulated by Unicorn; bytes.   {PEER} needs more by:")
        print(f"{header}   {'instr.':>5s} {'RAM':>6s} {'flash':>6s}")
    for model in options.model or MODELS:
        for compiler in options.compiler or COMPILERS:
            try:
                found = measure(model, compiler)
            except MissingToolError as error:
                print(f"left out: {model} with {compiler}: {error}", file=sys.stderr)
                continue
            figures.setdefault(model, {})[compiler] = asdict(found)
            if not options.json:
                print(line(model, compiler, found, peers[PEER][model]))
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        print(f"peer: {peers['source']}")
    if options.record:
        BASELINE.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
