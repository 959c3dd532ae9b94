"""`netsuke prune`: a float model loses channels, or becomes thin, and stays a float model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netsuke.cli.output import DataOption, Json, ModelArgument, count, doing, rows, short, show_json
from netsuke.errors import UsageError


def register(app: typer.Typer) -> None:
    @app.command()
    def prune(
        model: ModelArgument,
        out: Annotated[Path, typer.Option("-o", "--out", help="ONNX file to write.")],
        keep: Annotated[
            float, typer.Option(help="Share of each layer's channels that stays.")
        ] = 0.5,
        importance: Annotated[str, typer.Option(help="taylor, magnitude or bn-scale.")] = "",
        data: DataOption = None,
        multiple: Annotated[int, typer.Option("--round", help="Widths are multiples of it.")] = 4,
        low_rank: Annotated[
            float | None,
            typer.Option(help="Share of energy that dense and 1x1 layers keep as thin ones."),
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Cut channels out of every layer of a float model; train it further afterwards."""
        from netsuke.api import pruned
        from netsuke.codegen.onnx import to_onnx
        from netsuke.files import write_whole

        if out.suffix != ".onnx":
            raise UsageError(f"{out}: prune writes ONNX; name a file that ends in .onnx")
        with doing("pruning"):
            result, thin = pruned(model, keep, importance, data, multiple, low_rank)
        ranks = {} if thin is None else thin.ranks
        graph = result.graph if thin is None else thin.graph
        write_whole(out, to_onnx(graph))
        figures = {
            "parameters": (result.original.parameters, graph.parameters),
            "macs": (result.original.macs, graph.macs),
        }
        if as_json:
            layers = {name: list(pair) for name, pair in result.widths.items()}
            pairs = {name: list(pair) for name, pair in figures.items()}
            show_json({"out": str(out), **pairs, "widths": layers, "ranks": ranks})
            return
        lines = [("", "before", "after")]
        lines += [(name, count(a), count(b)) for name, (a, b) in figures.items()]
        lines += [(short(name), str(a), str(b)) for name, (a, b) in result.widths.items()]
        lines += [(f"rank of {short(n)}", str(a), str(b)) for n, (a, b, _) in ranks.items()]
        print(f"{out}:")
        print(rows(lines))
