"""`netsuke quantize`: a float model becomes an int8 ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import Json, ModelArgument, doing, rows, short, show_json, size
from netsuke.errors import UsageError


def register(app: typer.Typer) -> None:
    @app.command()
    def quantize(
        model: ModelArgument,
        data: Annotated[str, typer.Option("--data", help="Calibration data: a name or a path.")],
        out: Annotated[Path, typer.Option("-o", "--out", help="ONNX file to write (QDQ).")],
        samples: Annotated[int, typer.Option(help="How many samples calibrate.")] = 256,
        ranges: Annotated[str, typer.Option(help="mse, minmax or percentile.")] = "mse",
        rounding: Annotated[
            str, typer.Option(help="Of weights: nearest, or adaround, which learns it.")
        ] = "nearest",
        qat: Annotated[
            int, typer.Option(help="Epochs of quantization-aware training; 0: none.")
        ] = 0,
        lr: Annotated[float, typer.Option(help="Highest learning rate of --qat.")] = 3e-4,
        augment: Annotated[
            str, typer.Option(help="Of --qat: none, shift, flip or rotate.")
        ] = "none",
        seed: Annotated[int, typer.Option(help="Of --qat and of adaround.")] = 0,
        checkpoints: Annotated[
            Path | None, typer.Option(help="Folder for checkpoints of --qat.")
        ] = None,
        resume: Annotated[bool, typer.Option(help="Go on from the checkpoints.")] = False,
        as_json: Json = False,
    ) -> None:
        """Quantize a float model to int8 on calibration data; train it as integers if asked to."""
        from netsuke.api import calibration, load
        from netsuke.api import quantize as quantized
        from netsuke.codegen.onnx import to_onnx
        from netsuke.compress.quantize import compare
        from netsuke.files import write_whole

        if out.suffix != ".onnx":
            raise UsageError(f"{out}: quantize writes ONNX; name a file that ends in .onnx")
        graph = load(model)
        if qat < 0:
            raise UsageError(f"--qat {qat} is no number of epochs")
        if qat and rounding != "nearest":
            raise UsageError("--qat learns the weights; leave --rounding out")
        if qat and ranges != "mse":
            raise UsageError("--qat learns the ranges; leave --ranges out")
        if resume and checkpoints is None:
            raise UsageError("--resume needs the folder of the --checkpoints")
        if qat:
            trained = quantized(
                graph,
                data,
                samples,
                qat=qat,
                lr=lr,
                augment=augment,
                seed=seed,
                out=checkpoints,
                resume=resume,
            )
        with doing("calibrating") as now:
            inputs = calibration(graph, data, samples)
            if qat:
                integer = trained
            elif rounding == "adaround":
                integer = quantized(
                    graph,
                    inputs,
                    samples,
                    rounding=rounding,
                    ranges=ranges,
                    seed=seed,
                    progress=lambda done, of: now(f"layer {done} of {of} rounded"),
                )
            else:
                integer = quantized(graph, inputs, samples, rounding=rounding, ranges=ranges)
            table = compare(graph, integer, [array[:32] for array in inputs])
        write_whole(out, to_onnx(integer))
        weights = sum(tensor.size for tensor in integer.constants())
        if as_json:
            sqnr = {row.tensor: row.sqnr for row in table.rows}
            show_json(
                {
                    "out": str(out),
                    "weights": weights,
                    "sqnr": sqnr,
                    "outputs": table.outputs,
                    "agreement": table.agreement,
                }
            )
        else:
            print(f"{out}: {size(weights)} of constants, int8")
            worst = sorted(table.rows, key=lambda row: row.sqnr)[:8]
            lines = [("noisiest tensors", "SQNR")]
            lines += [(short(row.tensor), f"{row.sqnr:.1f} dB") for row in worst]
            lines += [(f"output {short(n)}", f"{v:.1f} dB") for n, v in table.outputs.items()]
            print(rows(lines))
