"""The main job in about a minute: a network shrinks, fits a board, becomes C and is proved.

Every step is a command that you can type yourself; the demo prints it before it runs it.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import time
from pathlib import Path

from netsuke.cli import main as netsuke

BOARD = "nucleo-f446re"
DATA = "digits?size=16"
MODEL = "lenet?size=16&width=2"


def step(title: str, *arguments: str, allowed: tuple[int, ...] = (0,)) -> None:
    """Print a command, run it, and stop the demo when it fails."""
    print(f"\n── {title}", flush=True)
    print(f"$ netsuke {shlex.join(arguments)}", flush=True)
    code = netsuke(list(arguments))
    if code not in allowed:
        sys.exit(code or 1)


def demo(out: Path) -> None:
    """Run all steps; everything they write lies in `out`."""
    shutil.rmtree(out, ignore_errors=True)
    model, run, page = str(out / "net.onnx"), str(out / "run"), str(out / "report.html")
    firmware = str(out / "run" / "firmware")
    step(
        "train a network on 1,797 images of handwritten digits",
        "train",
        MODEL,
        "--data",
        DATA,
        "-o",
        model,
        "--epochs",
        "8",
    )
    step(
        "does it fit a board with 512 KiB of flash and 128 KiB of RAM?",
        "check",
        model,
        "--device",
        BOARD,
        allowed=(0, 3),
    )
    step(
        "make it fit a tenth of that, and lose at most two points",
        "fit",
        model,
        "--data",
        DATA,
        "--device",
        BOARD,
        "--flash",
        "48KiB",
        "--ram",
        "8KiB",
        "--max-drop",
        "2",
        "--time",
        "60s",
        "-o",
        run,
    )
    step("prove it on this machine and on an emulated Cortex-M4, bit for bit", "verify", firmware)
    step("look at it", "report", run, "-o", page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo"))
    out = parser.parse_args().out
    start = time.monotonic()
    demo(out)
    print(
        f"\nDone in {time.monotonic() - start:.0f} s. Read {out}/run/firmware/model.c, "
        f"open {out}/report.html."
    )


if __name__ == "__main__":
    main()
