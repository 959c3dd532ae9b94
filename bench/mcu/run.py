"""MLPerf Tiny models on emulated Cortex-M: instructions, RAM and flash, beside recorded peers.

Run from the project's root::

    python bench/mcu/run.py                        # four cores; four models, some within limits
    python bench/mcu/run.py --core cortex-m4 --model keywords --compiler arm-none-eabi-gcc
    python bench/mcu/run.py --core rv32            # on request: cortex-m3, cortex-m33, rv32
    python bench/mcu/run.py --cycles               # modelled cycles too (a few minutes)
    python bench/mcu/run.py --record               # make these figures the baseline
    python bench/mcu/run.py --diff HEAD~5 [HEAD]   # what changed in the generated C

The models are read from the folder of real data (``NETSUKE_DATA``, or ``../shared/data``); the
autoencoder is an equal one from a seed. The figures are exact and repeatable: executed
instructions. Cycles are modelled from them. A peer's figures were measured once, see
``peers.json``; ratios above 1 say how many times more it needs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generated  # noqa: E402
import subjects  # noqa: E402

from netsuke.codegen import Artifact, compile_graph  # noqa: E402
from netsuke.devices.timing import has_timing  # noqa: E402
from netsuke.errors import MissingToolError  # noqa: E402
from netsuke.ir import Array, Graph, interpret_batch  # noqa: E402
from netsuke.verify.cores import core as core_of  # noqa: E402
from netsuke.verify.cycles import model_cycles  # noqa: E402
from netsuke.verify.qemu import QemuModel  # noqa: E402
from netsuke.verify.rv32 import Rv32Model  # noqa: E402
from netsuke.verify.unicorn import UnicornModel  # noqa: E402

BASELINE = HERE / "baseline.json"
COMPILERS = ("zig", "arm-none-eabi-gcc")
PEER = "tflite-micro + CMSIS-NN"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model takes on one core with one compiler.

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
    cycles
        Modelled; None where nobody asked or no model is.
    """

    compiler: str
    instructions: int
    macs: int
    arena: int
    stack: int
    code: int
    weights: int
    cycles: int | None = None


def measure(model: str, compiler: str, core: str = "cortex-m4", cycles: bool = False) -> Figures:
    """Compile a model, run one sample on the emulator, and return the figures.

    Raises
    ------
    AssertionError
        When the outputs differ from the graph's meaning.
    """
    graph = subjects.graph(model)
    board = subjects.board(core)
    artifact = compile_graph(graph, board, **subjects.limits(model, board))
    rng = np.random.default_rng(0)
    tensor = graph.tensors[graph.inputs[0]]
    sample = rng.integers(-128, 128, (1, *tensor.shape)).astype(tensor.dtype)
    emulated = emulator(core)(artifact, compiler=compiler)
    require_equal(model, graph, sample, emulated.run(sample))
    sizes = emulated.image.sizes
    return Figures(
        compiler=emulated.compiler.version,
        instructions=emulated.instructions[0],
        macs=graph.macs,
        arena=artifact.plan.arena,
        stack=getattr(emulated, "stack", None) or 0,
        code=sizes.flash - sizes.weights,
        weights=sizes.weights,
        cycles=modelled(artifact, sample, core, compiler) if cycles else None,
    )


def emulator(core: str) -> type[UnicornModel] | type[QemuModel] | type[Rv32Model]:
    """What runs artifacts for a core; on RISC-V nothing tells what the stack takes."""
    if core_of(core).rv32:
        return Rv32Model
    return UnicornModel if core_of(core).unicorn else QemuModel


def require_equal(model: str, graph: Graph, sample: Array, results: tuple[Array, ...]) -> None:
    for result, expected in zip(results, interpret_batch(graph, sample), strict=True):
        assert np.array_equal(result, expected), f"{model}: the outputs differ"


def modelled(artifact: Artifact, sample: Array, core: str, compiler: str) -> int | None:
    """Cycles on the board of the published times, where the core has a model and an emulator."""
    if not has_timing(core):
        return None
    return model_cycles(artifact, (sample,), compiler, subjects.FLASHES.get(core)).modelled


def read_baseline() -> dict[str, Any]:
    """Recorded figures: core -> model -> compiler -> field."""
    return json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}


def line(model: str, compiler: str, figures: Figures, peer: Mapping[str, int]) -> str:
    """One model and compiler, with ratios to the peer."""
    f = figures
    needs = {
        "instructions": f.instructions,
        "ram": f.arena + f.stack,
        "flash": f.code + f.weights,
    }
    known = dict(peer)
    if "code" in known:
        known["flash"] = known["code"] + known["model"]
    ratios = [f"{known[n] / needs[n]:6.2f}x" if n in known else f"{'-':>7s}" for n in needs]
    cycles = f"{f.cycles / 1e6:8.2f}" if f.cycles else f"{'-':>8s}"
    return (
        f"{model:14s} {compiler:18s} {f.instructions:11,d} {f.instructions / f.macs:5.2f} "
        f"{f.arena:7,d} {f.stack:5,d} {f.code:6,d} {f.weights:8,d} {cycles}  {' '.join(ratios)}"
    )


def show_published(peers: Mapping[str, Any], core: str, found: Mapping[str, Figures]) -> None:
    """Published times as cycles, beside ours and, at our cycles an instruction, the peer's."""
    rows = peers["cycles"].get(core, {})
    cycles = {model: f for model, f in found.items() if f.cycles}
    if not rows or not cycles:
        return
    order = peers["order"]
    print("  Mcycles" + " " * 36 + "".join(f"{model:>12s}" for model in order))
    for name, values in rows.items():
        print(f"  {name:42s} " + "".join(f"{value:12.2f}" for value in values))
    mega = [f"{cycles[m].cycles / 1e6:12.2f}" if m in cycles else f"{'-':>12s}" for m in order]
    print(f"  {'ours, modelled':42s} " + "".join(mega))
    peer = peers["instructions"].get(core, {}).get(PEER, {})
    if peer:
        rate = {m: f.cycles / f.instructions for m, f in cycles.items()}
        text = [
            f"{rate[m] * peer[m]['instructions'] / 1e6:12.2f}" if m in rate else f"{'-':>12s}"
            for m in order
        ]
        print(f"  {PEER + ' at our cycles/instr.':42s} " + "".join(text))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--core", action="append", choices=sorted(subjects.BOARDS))
    parser.add_argument("--model", action="append", choices=subjects.MODELS)
    parser.add_argument("--compiler", action="append", choices=COMPILERS)
    parser.add_argument("--cycles", action="store_true", help="model cycles too")
    parser.add_argument("--record", action="store_true", help="make these figures the baseline")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    parser.add_argument(
        "--diff",
        nargs="+",
        metavar="COMMIT",
        help="print how the generated C of a commit differs from another's, or from what is here",
    )
    return parser.parse_args()


def run_core(
    options: argparse.Namespace, core: str, peers: Mapping[str, Any], figures: dict[str, Any]
) -> None:
    peer = peers["instructions"].get(core, {}).get(PEER, {})
    first: dict[str, Figures] = {}
    if not options.json:
        print(f"{core} ({subjects.BOARDS[core]}); bytes.   {PEER} needs more by:")
        print(
            f"{'':33s} {'instr.':>11s} /MAC   arena stack   code  weights  Mcycles   "
            f"{'instr.':>7s} {'RAM':>7s} {'flash':>7s}"
        )
    for model in options.model or subjects.models(core):
        for compiler in options.compiler or (COMPILERS if core == "cortex-m4" else COMPILERS[:1]):
            try:
                found = measure(model, compiler, core, options.cycles)
            except MissingToolError as error:
                print(f"left out: {core}, {model}, {compiler}: {error}", file=sys.stderr)
                continue
            first.setdefault(model, found)
            entry = {name: value for name, value in asdict(found).items() if value is not None}
            figures.setdefault(core, {}).setdefault(model, {})[compiler] = entry
            if not options.json:
                print(
                    line(model, compiler, found, peer.get(subjects.network(model), {})), flush=True
                )
    if not options.json:
        show_published(peers, core, first)
        print()


def main() -> int:
    options = arguments()
    if options.diff:
        return generated.show_diff(options.diff)
    peers = json.loads((HERE / "peers.json").read_text(encoding="utf-8"))
    figures = read_baseline()
    for core in options.core or subjects.USUAL:
        run_core(options, core, peers, figures)
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        for what, source in peers["sources"].items():
            print(f"{what}: {source}")
    if options.record:
        BASELINE.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
