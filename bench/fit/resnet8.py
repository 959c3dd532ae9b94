"""ResNet-8 on CIFAR-10 with half its RAM and half its flash.

``python bench/fit/resnet8.py --data ../shared/data [--time 2h]`` takes the float network of MLPerf
Tiny (``mlperf_tiny/pretrainedResnet.tflite``) and the images of ``cifar10/train_jpeg.zip``, of
which a part is sealed, and asks `fit` for a design that takes half of the flash and half of the
RAM of the original's integers, within one point. The images are JPEG files, on which the network
scores less than on the originals: only differences count, and labels teach more than it does
(``--distill``). Resumable; the last line is the verdict.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from netsuke import api
from netsuke.cli.commands.fit import seconds
from netsuke.devices import Limits
from netsuke.fit import Sizes, paired_drop
from netsuke.fit.measure import evaluate_integers, ship
from netsuke.fit.original import prepared
from netsuke.train import Recipe, evaluate

BOARD = "nucleo-f446re"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=0, help="use at most so many (0: all)")
    parser.add_argument("--time", default="2h")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--designs", type=int, help="how many begin; by default what time allows")
    parser.add_argument("--distill", type=float, default=0.3, help="share of the original's word")
    parser.add_argument("--out", type=Path, default=Path("out/resnet8"))
    options = parser.parse_args()
    limit = f"&limit={options.images}" if options.images else ""
    data = api.data(f"{options.data / 'cifar10' / 'train_jpeg.zip'}?normalise=raw{limit}")
    model = options.data / "mlperf_tiny" / "pretrainedResnet.tflite"
    graph = prepared(api.load(model, optimize=False))
    whole = ship(graph, data, api.device(BOARD))
    before = evaluate(graph, data, data.test)
    rounded = evaluate_integers(whole, data, data.test)
    print(f"float    {before.metric:.2f} % on {len(data.test):,} sealed images")
    lost = paired_drop(before.losses, rounded.losses)
    print(f"int8     {rounded.metric:.2f} %  {text(whole.sizes)}")
    print(f"         drop {lost.points:+.2f} points (at most {lost.bound:+.2f})", flush=True)
    limits = Limits(flash=whole.sizes.flash // 2, ram=whole.sizes.ram // 2, max_drop=1.0)
    result = api.fit(
        model,
        BOARD,
        data,
        limits,
        seed=options.seed,
        time=seconds(options.time),
        out=options.out,
        resume=True,
        designs=options.designs,
        recipe=Recipe(
            seed=options.seed,
            threads=options.threads,
            augment="flip",
            distill=options.distill,
        ),
    )
    changed = ", ".join(map(str, result.design.edits)) or "widths alone"
    print(f"half     {result.metric:.2f} %  {text(result.sizes)}  ({changed})")
    verdict = "met" if result.met else "NOT met: " + "; ".join(result.unmet)
    print(f"drop {result.drop.points:+.2f} points (at most {result.drop.bound:+.2f}): {verdict}")


def text(sizes: Sizes) -> str:
    return f"flash {sizes.flash:,} B  RAM {sizes.ram:,} B  {sizes.instructions:,} instructions"


if __name__ == "__main__":
    main()
