"""ResNet-8 on CIFAR-10 as int8: rounded to the nearest, by AdaRound, and trained as integers.

``python bench/fit/quantization.py --data ../shared/data [--images 6000] [--epochs 1]`` takes the
float network of MLPerf Tiny and the images of ``cifar10/train_jpeg.zip``, of which a part is
sealed. Each line has the accuracy there, the drop against the float network with its paired 95 %
bound, and the seconds. The images are JPEG files: only differences count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from netsuke import api
from netsuke.compress.adaround import adaround
from netsuke.compress.qat import tune
from netsuke.compress.qat.finetune import RECIPE
from netsuke.compress.quantize import quantize
from netsuke.fit import paired_drop
from netsuke.ir import Graph
from netsuke.train import evaluate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=6000, help="use at most so many")
    parser.add_argument("--samples", type=int, default=256, help="for calibration")
    parser.add_argument("--steps", type=int, default=500, help="of AdaRound, a layer")
    parser.add_argument("--epochs", type=int, default=1, help="of training as integers; 0: none")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    archive = options.data / "cifar10" / "train_jpeg.zip"
    data = api.data(f"{archive}?normalise=raw&limit={options.images}")
    graph = api.load(options.data / "mlperf_tiny" / "pretrainedResnet.tflite")
    (samples,) = api.calibration(graph, data, options.samples)
    recipe = replace(
        RECIPE, epochs=options.epochs, seed=options.seed, threads=options.threads, augment="flip"
    )
    rows: dict[str, Callable[[], Graph]] = {
        "nearest": lambda: quantize(graph, samples),
        "adaround": lambda: adaround(
            graph, samples, steps=options.steps, seed=options.seed, threads=options.threads
        ),
    }
    if options.epochs:
        rows["qat"] = lambda: tune(graph, data, recipe, calibration=samples, validate=False).graph
    before = evaluate(graph, data, data.test)
    print(f"{'float':10}{before.metric:7.2f} %  on {len(data.test):,} sealed images", flush=True)
    for name, make in rows.items():
        begun = time.monotonic()
        integers = make()
        seconds = time.monotonic() - begun
        after = evaluate(integers, data, data.test)
        drop = paired_drop(before.losses, after.losses)
        print(
            f"{name:10}{after.metric:7.2f} %  drop {drop.points:+.2f} points (at most "
            f"{drop.bound:+.2f})  {100.0 * drop.disagreements:.2f} % differ  {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
