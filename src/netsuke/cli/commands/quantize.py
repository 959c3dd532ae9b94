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
        as_json: Json = False,
    ) -> None:
        """Quantize a float model to int8 on calibration data, without training."""
        from netsuke.api import calibration, load
        from netsuke.codegen.onnx import to_onnx
        from netsuke.compress.quantize import compare
        from netsuke.compress.quantize import quantize as convert
        from netsuke.files import write_whole

        if out.suffix != ".onnx":
            raise UsageError(f"{out}: quantize writes ONNX; name a file that ends in .onnx")
        graph = load(model)
        with doing("calibrating"):
            inputs = calibration(graph, data, samples)
            integer = convert(graph, inputs, ranges=ranges)
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
