"""`netsuke sparsify`: most connections of a trained network become 0, the rest is retrained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netsuke.cli.output import Json, ModelArgument, rows, short, show_json
from netsuke.errors import UsageError

if TYPE_CHECKING:
    from netsuke.compress.magnitude import Pruned
    from netsuke.fit.drop import Drop


def register(app: typer.Typer) -> None:
    @app.command()
    def sparsify(
        model: ModelArgument,
        data: Annotated[str, typer.Option("--data", help="Data set: a name or a path.")],
        out: Annotated[Path, typer.Option("-o", "--out", help="ONNX file to write.")],
        sparsity: Annotated[
            float | None, typer.Option(help="Share of all weights that become 0.")
        ] = None,
        layer: Annotated[
            list[str] | None,
            typer.Option(help="NAME=SHARE of one layer, in place of --sparsity; may be repeated."),
        ] = None,
        method: Annotated[
            str, typer.Option(help="sensitivity, deviation or uniform: which layers lose more.")
        ] = "sensitivity",
        rounds: Annotated[int, typer.Option(help="How often to prune and retrain.")] = 4,
        rise: Annotated[str, typer.Option(help="cubic or linear, from round to round.")] = "cubic",
        epochs: Annotated[int, typer.Option(help="Of training after each round.")] = 2,
        last_epochs: Annotated[
            int | None, typer.Option(help="Of training after the last round.")
        ] = None,
        lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-4,
        distill: Annotated[
            bool, typer.Option(help="Also learn the scores of the network as it was.")
        ] = False,
        seed: Annotated[int, typer.Option(help="Of the order of samples.")] = 0,
        threads: Annotated[int, typer.Option(help="Threads of training.")] = 2,
        checkpoints: Annotated[Path | None, typer.Option(help="Folder for rounds.")] = None,
        resume: Annotated[bool, typer.Option(help="Go on from the checkpoints.")] = False,
        as_json: Json = False,
    ) -> None:
        """Prune connections by magnitude and retrain the rest (Han 2015)."""
        from netsuke.api import data as load_data
        from netsuke.api import load
        from netsuke.codegen.onnx import to_onnx
        from netsuke.compress.magnitude import Pruning, prune
        from netsuke.files import write_whole
        from netsuke.fit.drop import paired_drop
        from netsuke.train import Recipe, evaluate

        if out.suffix != ".onnx":
            raise UsageError(f"{out}: sparsify writes ONNX; name a file that ends in .onnx")
        pruning = Pruning(_wish(sparsity, layer or []), method, rounds, rise)
        recipe = Recipe(epochs=epochs, lr=lr, seed=seed, threads=threads)
        last = None if last_epochs is None else Recipe(last_epochs, lr, seed=seed, threads=threads)
        graph, dataset = load(model, optimize=False), load_data(data)
        result = prune(
            graph,
            dataset,
            pruning,
            recipe,
            last=last,
            teacher=graph if distill else None,
            out=checkpoints,
            resume=resume,
        )
        before, after = (evaluate(g, dataset, dataset.test) for g in (graph, result.graph))
        drop = paired_drop(before.losses, after.losses)
        write_whole(out, to_onnx(result.graph))
        if as_json:
            show_json(_record(out, result, before.metric, after.metric, drop))
        else:
            print(_text(out, result, before.metric, after.metric, drop))


def _wish(sparsity: float | None, layers: list[str]) -> float | dict[str, float]:
    if (sparsity is None) == (not layers):
        raise UsageError("give either --sparsity 0.9 or some --layer NAME=0.9")
    if sparsity is not None:
        return sparsity
    wish = {}
    for text in layers:
        name, _, share = text.rpartition("=")
        try:
            wish[name] = float(share)
        except ValueError:
            raise UsageError(f"--layer {text}: write NAME=SHARE, such as dense1=0.9") from None
    return wish


def _record(
    out: Path, result: Pruned, before: float, after: float, drop: Drop
) -> dict[str, object]:
    return {
        "out": str(out),
        "sparsity": result.sparsity,
        "layers": {row.layer: {"weights": row.weights, "kept": row.kept} for row in result.layers},
        "history": result.history,
        "before": before,
        "after": after,
        "drop": drop.points,
        "bound": drop.bound,
    }


def _text(out: Path, result: Pruned, before: float, after: float, drop: Drop) -> str:
    lines = [("layer", "weights", "kept", "")]
    for row in result.layers:
        share = f"{row.kept / row.weights:.1%}"
        lines.append((short(row.layer), f"{row.weights:,}", f"{row.kept:,}", share))
    weights, kept = (sum(getattr(r, f) for r in result.layers) for f in ("weights", "kept"))
    lines.append(("all", f"{weights:,}", f"{kept:,}", f"÷ {weights / kept:.1f}"))
    return (
        f"{rows(lines)}\n{out}: {before:.2f} → {after:.2f} % on {drop.samples:,} test samples; "
        f"with 95 % confidence at most {drop.bound:.2f} points are lost"
    )
